//! Whether answers were right.

use bytes::Bytes;
use drag_solver_core::Verdict;

use super::subject::{PICTURE, failure, name, opening, said, solution};
use super::{Checked, StoreUnderTest};
use crate::{Accepted, KeyLimits, Reported};

impl StoreUnderTest<'_> {
    async fn report(&self, id: &str, verdict: Verdict) -> Result<Reported, String> {
        self.store.report(id, verdict).await.map_err(said)
    }

    pub(super) async fn the_first_verdict_counts(&self) -> Checked {
        for (first, second) in [
            (Verdict::Correct, Verdict::Incorrect),
            (Verdict::Incorrect, Verdict::Correct),
        ] {
            let id = name("verdict");
            let unknown = self.report(&id, first).await?;
            ensure_eq!(unknown, Reported::Unknown, "of what is not on record");
            let (claim, _) = self.claim(&id).await?;
            let open = self.report(&id, first).await?;
            ensure_eq!(open, Reported::NotSolved, "of what is open");
            self.finish(claim, Some(Err(failure()))).await?;
            let failed = self.report(&id, first).await?;
            ensure_eq!(failed, Reported::NotSolved, "of what has failed");
            let (claim, _) = self.claim(&id).await?;
            self.finish(claim, Some(Ok(solution("a")))).await?;
            ensure_eq!(self.find(&id).await?.verdict, None, "before a report");

            ensure_eq!(self.report(&id, first).await?, Reported::First, "the first");
            for again in [second, first] {
                let again = self.report(&id, again).await?;
                ensure_eq!(again, Reported::Again(first), "a later one");
            }
            ensure_eq!(self.find(&id).await?.verdict, Some(first), "on record");
        }
        Ok(())
    }

    pub(super) async fn a_picture_is_read_only_where_it_is_asked_for(&self) -> Checked {
        let id = name("with picture");
        let picture = Bytes::from_static(PICTURE);
        let accepted = self
            .store
            .accept(&opening(&id), &picture, &KeyLimits::default())
            .await;
        let is_new = matches!(accepted.map_err(said)?, Accepted::New);
        ensure!(is_new, "it was not on record");
        let without = self.store.find(&id).await.map_err(said)?;
        let without = without.ok_or("it is not on record")?;
        ensure_eq!(without.picture, None, "picture");
        let with = self.find(&id).await?;
        ensure_eq!(with.picture, Some(picture), "picture");
        let same = (&without.id, &without.digest) == (&with.id, &with.digest);
        ensure!(same, "both are the same challenge: {without:?}, {with:?}");
        let unknown = self.store.find_with_picture(&name("unknown")).await;
        let is_unknown = unknown.map_err(said)?.is_none();
        ensure!(is_unknown, "it is unknown");
        Ok(())
    }

    pub(super) async fn a_note_stays_until_there_is_another(&self) -> Checked {
        let id = name("note");
        let picture = Bytes::from_static(PICTURE);
        let noted = opening(&id).with_note("ünïcode; '--");
        let accepted = self
            .store
            .accept(&noted, &picture, &KeyLimits::default())
            .await;
        let is_new = matches!(accepted.map_err(said)?, Accepted::New);
        ensure!(is_new, "it was not on record");
        let note = |record: crate::ChallengeRecord| record.note;
        ensure_eq!(note(self.find(&id).await?), noted.note, "of accepting");
        // A call that takes it up knows nothing of it.
        let (claim, record) = self.claim(&id).await?;
        ensure_eq!(record.note, noted.note, "of taking up");
        self.finish(claim, Some(Err(failure()))).await?;
        ensure_eq!(note(self.find(&id).await?), noted.note, "after a failure");

        let other = opening(&id).with_note("another");
        let accepted = self
            .store
            .accept(&other, &picture, &KeyLimits::default())
            .await;
        let is_new = matches!(accepted.map_err(said)?, Accepted::New);
        ensure!(is_new, "its call had failed");
        ensure_eq!(
            note(self.find(&id).await?),
            other.note,
            "of accepting again"
        );
        let accepted = self
            .store
            .accept(&noted, &picture, &KeyLimits::default())
            .await;
        let is_known = matches!(accepted.map_err(said)?, Accepted::Known(_));
        ensure!(is_known, "it is open");
        ensure_eq!(note(self.find(&id).await?), other.note, "of what was open");
        let third = opening(&id).with_note("a third");
        let (_, record) = self.claim_as(&third).await?;
        ensure_eq!(record.note, third.note, "of taking up with another");
        Ok(())
    }
}
