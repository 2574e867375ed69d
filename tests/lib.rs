//! What tests of several packages need; and the code of the pages for people, compiled and run with the doctests.

#[cfg(unix)]
pub mod postgres;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../docs/write-a-provider.md")]
struct WriteAProvider;

#[cfg(doctest)]
#[doc = include_str!("../docs/paid-jobs.md")]
struct PaidJobs;

#[cfg(doctest)]
#[doc = include_str!("../docs/cookbook.md")]
struct Cookbook;

#[cfg(doctest)]
#[doc = include_str!("../docs/recordings.md")]
struct Recordings;
