//! Which challenges there are.

use drag_solver_core::JobId;

use super::subject::{PICTURE, bought, failure, name, opening, said, solution};
use super::{Checked, StoreUnderTest};
use crate::{Query, StatusKind};

impl StoreUnderTest<'_> {
    pub(super) async fn lists_are_in_order_filtered_and_in_pages(&self) -> Checked {
        let label = name("label");
        // Not in the order of the alphabet.
        let ids = ["d open", "b solved", "c failed", "a bought", "e buying"].map(name);
        for (index, id) in ids.iter().enumerate() {
            let mut opening = opening(id);
            opening.label = Some(label.clone());
            let (claim, _) = self.claim_as(&opening).await?;
            match index {
                1 => self.finish(claim, Some(Ok(solution("a")))).await?,
                2 => self.finish(claim, Some(Err(failure()))).await?,
                3 => {
                    let key = self.begin(claim).await?;
                    let job = JobId::from(7);
                    self.record(bought(claim, key, job)).await?;
                    self.finish(claim, Some(Err(failure()))).await?;
                }
                4 => drop(self.begin(claim).await?),
                _ => {}
            }
        }
        self.claim(&name("of no label")).await?;
        let all = Query::default().label(&*label);
        let cases = [
            (all.clone(), &[0, 1, 2, 3, 4][..]),
            (all.clone().status(StatusKind::Open), &[0, 4]),
            (all.clone().status(StatusKind::Solved), &[1]),
            (all.clone().status(StatusKind::Failed), &[2, 3]),
            (all.clone().unfetched(true), &[3]),
            (all.clone().unconfirmed(true), &[4]),
            (all.clone().unconfirmed(true).unfetched(true), &[]),
            (all.clone().limit(2), &[0, 1]),
            (all.clone().limit(2).after(&*ids[1]), &[2, 3]),
            (all.clone().limit(2).after(&*ids[3]), &[4]),
            (all.clone().after(&*ids[4]), &[]),
            (all.clone().limit(0), &[]),
            (Query::default().label("a label of nothing"), &[]),
        ];
        for (query, expected) in cases {
            let listed = self.store.list(&query).await.map_err(said)?;
            let listed: Vec<_> = listed.into_iter().map(|record| record.id).collect();
            let expected: Vec<_> = expected.iter().map(|&index| ids[index].clone()).collect();
            ensure_eq!(listed, expected, format!("{query:?}"));
        }
        for (query, expected) in [(all.clone(), None), (all.pictures(true), Some(PICTURE))] {
            let listed = self.store.list(&query).await.map_err(said)?;
            ensure_eq!(listed[3].picture.as_deref(), expected, "picture");
            ensure_eq!(listed[3].purchases.len(), 1, "purchases");
        }
        Ok(())
    }
}
