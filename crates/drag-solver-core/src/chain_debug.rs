//! How a chain prints itself: like the code that built it. Every crate with a wrapper uses it.

use std::fmt::{Arguments, Debug, Formatter, Result};
use std::num::NonZeroU32;
use std::time::Duration;

use crate::{Ratio, Usd, human_duration};
pub use crate::{debug_as_code, wrapper};

/// Writes `inner.method(setting: value, ..)`: with `{:?}` on one line, with `{:#?}` one call a line.
#[must_use]
#[allow(missing_debug_implementations)] // a formatter has none
pub struct DebugCall<'a, 'b> {
    f: &'a mut Formatter<'b>,
    so_far: Result,
    /// What comes before the next value: the parenthesis, or a comma.
    before: &'static str,
}

impl<'a, 'b> DebugCall<'a, 'b> {
    /// Begins with `inner.method`.
    pub fn on(f: &'a mut Formatter<'b>, inner: &dyn Debug, method: &str) -> Self {
        let so_far = inner.fmt(f);
        Self::begun(f, so_far).then(method)
    }

    /// Begins with `name[solver, solver]`: for a combinator around several solvers.
    pub fn of<S: Debug>(f: &'a mut Formatter<'b>, name: &str, solvers: &[S]) -> Self {
        let name = f.write_str(name);
        let so_far = name.and_then(|()| f.debug_list().entries(solvers).finish());
        Self::begun(f, so_far)
    }

    fn begun(f: &'a mut Formatter<'b>, so_far: Result) -> Self {
        let before = "(";
        Self { f, so_far, before }
    }

    /// Adds `.method`, of which the settings follow.
    pub fn then(mut self, method: &str) -> Self {
        let line = if self.f.alternate() { "\n    " } else { "" };
        let written = |()| write!(self.f, "{line}.{method}");
        self.so_far = self.so_far.and_then(written);
        self
    }

    /// Adds `setting: value`, unless the setting is not set.
    pub fn with(self, setting: &str, value: impl Setting) -> Self {
        self.add(format_args!("{setting}: "), value)
    }

    /// Adds a value that needs no name.
    pub fn value(self, value: impl Setting) -> Self {
        self.add(format_args!(""), value)
    }

    fn add(mut self, name: Arguments<'_>, value: impl Setting) -> Self {
        if let Some(text) = value.text() {
            let before = std::mem::replace(&mut self.before, ", ");
            let written = |()| write!(self.f, "{before}{name}{text}");
            self.so_far = self.so_far.and_then(written);
        }
        self
    }

    /// Closes the parenthesis, if anything is in it.
    pub fn finish(self) -> Result {
        let closing = if self.before == "(" { "" } else { ")" };
        self.so_far.and_then(|()| self.f.write_str(closing))
    }
}

/// A value of a setting.
pub trait Setting {
    /// As people write it; `None` if it is not set.
    fn text(self) -> Option<String>;
}

impl<T: Setting> Setting for Option<T> {
    fn text(self) -> Option<String> {
        self.and_then(Setting::text)
    }
}

impl Setting for Duration {
    fn text(self) -> Option<String> {
        Some(human_duration::display(self).to_string())
    }
}

macro_rules! print_as {
    ($format:literal: $($type:ty),+) => {$(
        impl Setting for $type {
            fn text(self) -> Option<String> {
                Some(format!($format, self))
            }
        }
    )+};
}

print_as!("{}": bool, u32, NonZeroU32, Ratio, Arguments<'_>);
print_as!("${}": Usd);

/// Prints a combinator, by `Debug` and by `Display`, as the [`DebugCall`] that the closure makes:
/// `debug_as_code!(Hedge(), |hedge, f| DebugCall::of(f, ..))`. The parentheses hold its parameters.
#[doc(hidden)]
#[macro_export]
macro_rules! debug_as_code {
    ($combinator:ident($($inner:ident $(, $other:ident)?)?), |$it:ident, $f:ident| $call:expr) => {
        impl$(<$inner: $crate::DragSolver $(, $other)?>)? std::fmt::Debug
            for $combinator$(<$inner $(, $other)?>)?
        {
            fn fmt(&self, $f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let $it = self;
                $call.finish()
            }
        }

        impl$(<$inner: $crate::DragSolver $(, $other)?>)? std::fmt::Display
            for $combinator$(<$inner $(, $other)?>)?
        {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(self, f)
            }
        }
    };
}

/// The same for a combinator around one solver, its field `inner`, and a look at that solver.
#[doc(hidden)]
#[macro_export]
macro_rules! wrapper {
    ($combinator:ident($inner:ident $(, $other:ident)?), |$it:ident, $f:ident| $call:expr) => {
        impl<$inner: $crate::DragSolver $(, $other)?> $combinator<$inner $(, $other)?> {
            /// The solver inside.
            pub fn get_ref(&self) -> &$inner {
                &self.inner
            }
        }

        $crate::debug_as_code!($combinator($inner $(, $other)?), |$it, $f| $call);
    };
}
