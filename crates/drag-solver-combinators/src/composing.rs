#![doc = include_str!("composing.md")]
