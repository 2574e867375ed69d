//! Notes, sizes, pictures that are asked for, and reports.

use bytes::Bytes;
use drag_solver_core::Verdict;

use super::subject::{PICTURE, failure, name, opening, said, solution};
use super::{Checked, StoreUnderTest};
use crate::{Accepted, Reported};

impl StoreUnderTest<'_> {
    pub(super) async fn the_first_report_stays(&self) -> Checked {
        let id = name("reported");
        let report = async |verdict| self.store.report(&id, verdict).await.map_err(said);
        ensure_eq!(
            report(Verdict::Correct).await?,
            Reported::Unknown,
            "of nothing"
        );
        let (claim, _) = self.claim(&id).await?;
        ensure_eq!(
            report(Verdict::Correct).await?,
            Reported::NotSolved,
            "while it is open"
        );
        self.finish(claim, Some(Ok(solution("a")))).await?;
        ensure_eq!(self.find(&id).await?.verdict, None, "before any report");
        ensure_eq!(
            report(Verdict::Incorrect).await?,
            Reported::First,
            "the first"
        );
        let again = Reported::Again(Verdict::Incorrect);
        ensure_eq!(report(Verdict::Correct).await?, again, "the second");
        ensure_eq!(
            self.find(&id).await?.verdict,
            Some(Verdict::Incorrect),
            "on record"
        );
        Ok(())
    }

    pub(super) async fn a_note_stays_with_what_was_accepted(&self) -> Checked {
        let id = name("noted");
        let mut noted = opening(&id).with_note("for whom");
        (noted.width, noted.height) = (590, 1280);
        let picture = Bytes::from_static(PICTURE);
        let accepted = self.store.accept(&noted, &picture).await.map_err(said)?;
        ensure!(
            matches!(accepted, Accepted::New),
            "it is new, not {accepted:?}"
        );
        let (claim, record) = self.claim(&id).await?;
        ensure_eq!(
            record.note.as_deref(),
            Some("for whom"),
            "the call has the note"
        );
        ensure_eq!((record.width, record.height), (590, 1280), "and the size");
        self.finish(claim, Some(Err(failure()))).await?;
        let found = self.find(&id).await?;
        ensure_eq!(
            found.note.as_deref(),
            Some("for whom"),
            "a call without one leaves it"
        );
        let again = opening(&id).with_note("for another");
        self.store.accept(&again, &picture).await.map_err(said)?;
        let found = self.find(&id).await?;
        ensure_eq!(
            found.note.as_deref(),
            Some("for another"),
            "another takes its place"
        );
        Ok(())
    }

    pub(super) async fn a_picture_is_read_where_it_is_asked_for(&self) -> Checked {
        let id = name("picture");
        let picture = Bytes::from_static(PICTURE);
        self.store
            .accept(&opening(&id), &picture)
            .await
            .map_err(said)?;
        let bare = self.store.find(&id).await.map_err(said)?;
        let picture = bare.ok_or("it is not on record")?.picture;
        ensure_eq!(picture, None, "of `find`");
        let whole = self.store.find_with_picture(&id).await.map_err(said)?;
        let picture = whole.ok_or("it is not on record")?.picture;
        ensure_eq!(picture.as_deref(), Some(PICTURE), "of `find_with_picture`");
        Ok(())
    }
}
