//! The setters of settings, a line each.

/// Writes a setter for each field of a policy: `setters! { max_wait: Option<Duration>, .. }` inside of
/// `impl Policy`. What follows the colon says how the setter takes its value:
///
/// - a type: as it is;
/// - `count`: a `u32` for a field of type `NonZeroU32`; 0 counts as 1;
/// - `some T`: a `T` for a field of type `Option<T>`.
#[doc(hidden)]
#[macro_export]
macro_rules! setters {
    ($($field:ident: $kind:ident $($of:ty)?),+ $(,)?) => {
        $($crate::setters!(@$kind $field $($of)?);)+
    };
    (@count $field:ident) => {
        #[doc = concat!("Sets [`", stringify!($field), "`](Self::", stringify!($field), "). 0 counts as 1.")]
        #[must_use]
        pub const fn $field(mut self, $field: u32) -> Self {
            self.$field = match std::num::NonZeroU32::new($field) {
                Some(count) => count,
                None => std::num::NonZeroU32::MIN,
            };
            self
        }
    };
    (@some $field:ident $type:ty) => {
        #[doc = concat!("Sets [`", stringify!($field), "`](Self::", stringify!($field), ").")]
        #[must_use]
        pub const fn $field(mut self, $field: $type) -> Self {
            self.$field = Some($field);
            self
        }
    };
    (@$type:ident $field:ident) => {
        #[doc = concat!("Sets [`", stringify!($field), "`](Self::", stringify!($field), ").")]
        #[must_use]
        pub const fn $field(mut self, $field: $type) -> Self {
            self.$field = $field;
            self
        }
    };
}

/// Writes the setters of a builder whose fields are its own, a row each: the documentation, the name, what it
/// takes, and what it changes.
#[doc(hidden)]
#[macro_export]
macro_rules! builder_setters {
    ($($(#[$doc:meta])* $setter:ident($($value:ident: $type:ty),*) |$it:ident| $change:expr;)+) => {$(
        $(#[$doc])*
        pub fn $setter(mut self, $($value: $type),*) -> Self {
            let $it = &mut self;
            $change;
            self
        }
    )+};
}

#[cfg(test)]
#[allow(unreachable_pub)] // setters are public
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    #[derive(Debug)]
    struct Policy {
        calls: NonZeroU32,
        limit: Option<Duration>,
        on: bool,
    }

    impl Policy {
        crate::setters! { calls: count, limit: some Duration, on: bool }
    }

    #[test]
    fn each_kind_of_setter_sets_its_field() {
        let policy = Policy {
            calls: NonZeroU32::MAX,
            limit: None,
            on: false,
        };
        let policy = policy.calls(0).limit(Duration::ZERO).on(true);
        assert_eq!(policy.calls.get(), 1);
        assert!(policy.limit.is_some() && policy.on);
    }

    #[derive(Default)]
    struct Builder {
        names: Vec<String>,
    }

    impl Builder {
        crate::builder_setters! {
            /// Adds both.
            names(one: impl Into<String>, other: &str) |it| it.names = vec![one.into(), other.to_owned()];
            clear() |it| it.names.clear();
        }
    }

    #[test]
    fn a_row_is_a_setter() {
        let builder = Builder::default().names("a", "b");
        assert_eq!(builder.names, ["a", "b"]);
        assert!(builder.clear().names.is_empty());
    }
}
