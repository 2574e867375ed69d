//! What is on record, held against the provider's books.

use std::collections::{BTreeMap, BTreeSet};

use drag_solver::prelude::*;
use drag_solver::store::{ChallengeRecord, Query, Status, StoredBudget, StoredBudgetPolicy};

use crate::world::{TENANTS, World};

impl World {
    /// Holds the record against the provider's books, when each challenge has ended.
    pub(crate) async fn reconcile(&self) -> Books {
        let store = self.open();
        let records = store.list(&Query::default()).await.unwrap();
        let ids: BTreeSet<_> = records.iter().map(|record| &*record.id).collect();
        let accepted = self
            .accepted
            .iter()
            .map(|(tenant, _, id, _)| format!("{tenant}/{id}"));
        let accepted: BTreeSet<_> = accepted.collect();
        assert_eq!(ids, accepted.iter().map(String::as_str).collect());

        // No picture was bought twice, and what was bought is on record.
        let requests = self.provider.requests();
        let orders = requests
            .iter()
            .filter(|it| it.request.path() == "/api/createJob");
        let pictures: Vec<_> = orders.map(|it| it.request.body().clone()).collect();
        let distinct: BTreeSet<_> = pictures.iter().collect();
        assert_eq!(
            distinct.len(),
            pictures.len(),
            "a challenge was bought twice"
        );
        let created = self.provider.stats().jobs_created;
        let jobs = records.iter().flat_map(|record| &record.purchases);
        let known = jobs.filter(|purchase| purchase.job.is_some()).count() as u64;
        let unconfirmed: usize = records.iter().map(|it| it.unconfirmed().count()).sum();
        assert!(known <= created && created <= known + unconfirmed as u64);

        // What nobody knows is listed, by name.
        let mut query = Query::default();
        query.unconfirmed = true;
        let listed = store.list(&query).await.unwrap();
        let unsolved = |it: &&ChallengeRecord| !matches!(it.status, Status::Solved { .. });
        let unsolved: Vec<_> = records.iter().filter(unsolved).map(|it| &it.id).collect();
        assert_eq!(listed.iter().map(|it| &it.id).collect::<Vec<_>>(), unsolved);
        for record in &records {
            assert!(record.purchases.len() <= 1, "{record:?}");
            assert!(record.open_jobs().next().is_none(), "{record:?}");
        }

        // Each tenant has spent what was bought for it.
        let budget = StoredBudget::by_label(&store, "tenants", |_| StoredBudgetPolicy::default());
        let mut spent = BTreeMap::new();
        for (tenant, _) in TENANTS {
            let bought = records
                .iter()
                .filter(|it| it.label.as_deref() == Some(tenant));
            let bought: Vec<_> = bought.flat_map(|it| &it.purchases).collect();
            let price: Usd = "0.0009".parse().unwrap();
            let most = price * u32::try_from(bought.len()).unwrap();
            let unconfirmed = bought.iter().filter(|it| it.is_unconfirmed()).count();
            let least = price * u32::try_from(bought.len() - unconfirmed).unwrap();
            let state = budget.state(Some(tenant)).await.unwrap();
            assert_eq!(state.reserved, Usd::ZERO);
            assert!(
                least <= state.spent && state.spent <= most,
                "{tenant}: {state:?}"
            );
            spent.insert(tenant, state.spent);
        }
        let spent = spent.into_values().sum::<Usd>();
        assert!(
            spent >= self.provider.stats().spent,
            "what was sent was charged"
        );
        Books {
            created,
            unconfirmed,
            spent,
        }
    }
}

pub(crate) struct Books {
    pub(crate) created: u64,
    pub(crate) unconfirmed: usize,
    pub(crate) spent: Usd,
}
