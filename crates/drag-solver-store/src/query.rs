//! Which challenges are asked for.

/// Which challenges are asked for.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // each asks for something of its own
#[non_exhaustive]
pub struct Query {
    /// Only those in this state.
    pub status: Option<StatusKind>,
    /// Only those with a purchase of which nothing was heard.
    pub unconfirmed: bool,
    /// Only those with a paid job that was not fetched.
    pub unfetched: bool,
    /// Only those that are open and that no call has.
    pub unheld: bool,
    /// Only those of this label.
    pub label: Option<String>,
    /// Only those that come after this id, in the order of the answer: for the next page.
    pub after: Option<String>,
    /// At most this many; all if it is `None`.
    pub limit: Option<u32>,
    /// With their pictures.
    pub pictures: bool,
}

impl Query {
    drag_solver_core::setters! {
        status: some StatusKind,
        unconfirmed: bool,
        unfetched: bool,
        unheld: bool,
        limit: some u32,
        pictures: bool,
    }

    /// Sets [`label`](Self::label).
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Sets [`after`](Self::after).
    #[must_use]
    pub fn after(mut self, id: impl Into<String>) -> Self {
        self.after = Some(id.into());
        self
    }
}

/// The states of [`Status`](crate::Status), by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusKind {
    /// [`Status::Open`](crate::Status::Open).
    Open,
    /// [`Status::Solved`](crate::Status::Solved).
    Solved,
    /// [`Status::Failed`](crate::Status::Failed).
    Failed,
}
