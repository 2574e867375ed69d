//! A day of challenges, solved by several chains on a paused clock: what each chain makes of the same
//! two unreliable providers.
//!
//! Everything is seeded, and the fate of a job depends on the challenge it is for, not on the chain
//! that bought it: the first job that provider A gets for challenge 17 takes as long, and ends the
//! same way, in every chain.

mod chains;
mod figures;
mod plot;
mod random;
mod world;

use std::sync::Arc;
use std::time::Duration;

use drag_solver::prelude::*;
use drag_solver::testing::fixtures;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

pub(crate) use chains::{BASELINE, FULL, ROUTED};
pub(crate) use figures::{Figures, table};
pub(crate) use plot::svg;
use random::Random;
use world::{Provider, World};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const DEADLINE: Duration = Duration::from_secs(120);

/// Solves `challenges` in each chain, and says how that went.
pub(crate) fn simulate(challenges: u32, seed: u64) -> Result<Vec<Figures>, BoxError> {
    chains::NAMES
        .iter()
        .map(|name| one_day(name, challenges, seed))
        .collect()
}

pub(crate) type BoxError = Box<dyn std::error::Error>;

/// The same in one chain.
pub(crate) fn one_day(name: &'static str, challenges: u32, seed: u64) -> Result<Figures, BoxError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    runtime.block_on(async {
        let world = World::begin(seed);
        let providers = [Provider::a(&world), Provider::b(&world)];
        let chain = chains::chain(name, &providers)?;
        let took = solve_all(&chain, challenges, &world).await?;
        let billed = providers.iter().map(Provider::billed).sum();
        Ok(Figures::new(name, took, billed))
    })
}

/// How long each challenge took, and whether it was solved.
async fn solve_all(
    chain: &Arc<dyn DragSolver>,
    challenges: u32,
    world: &World,
) -> Result<Vec<(Duration, bool)>, BoxError> {
    let mut random = Random::new(&[world.seed, 0]);
    let mut arrivals: Vec<Instant> = (0..challenges)
        .map(|_| world.begun + DAY.mul_f64(random.fraction()))
        .collect();
    arrivals.sort_unstable();

    let mut under_way = JoinSet::new();
    for (number, at) in (0_u64..).zip(arrivals) {
        sleep_until(at).await;
        let chain = Arc::clone(chain);
        let challenge = fixtures::challenge()
            .with_instruction(number.to_string())
            .within(DEADLINE);
        under_way.spawn(async move {
            let solved = chain
                .solve(&challenge)
                .await
                .is_ok_and(|solution| *solution.drag() == world::right_answer());
            (at.elapsed(), solved)
        });
    }
    Ok(under_way.join_all().await)
}
