//! Killed at each boundary of the money path: before and after each call of the store, and while a request is
//! under way.

use std::time::Duration;

use drag_solver::testing::emulator::{Fault, Operation, ResetPoint};

use super::place::House;
use super::provider::Provider;
use super::{Process, Said};

/// Far more than there are.
const TOO_MANY: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_and_after_each_call_of_the_store_it_pays_once_and_loses_nothing() {
    killed_around_each_call(&House::Files).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn killed_before_and_after_each_call_of_postgres_it_pays_once_and_loses_nothing() {
    let Some(house) = House::postgres() else {
        return;
    };
    killed_around_each_call(&house).await;
}

async fn killed_around_each_call(house: &House) {
    let mut unsure = 0;
    for boundary in 0.. {
        assert!(boundary < TOO_MANY, "it never came to an end");
        let (mut place, provider) = (house.place(), Provider::start(|it| it).await);
        let mut first = Process::start(&provider, &place.address, &[1], Some(boundary));
        let said = first.said();
        if said == Said::Done(1) {
            assert!(boundary >= 15, "there are more boundaries than {boundary}");
            break;
        }
        assert_eq!(said, Said::AtBoundary);
        first.kill();
        place.later();
        let mut second = Process::start(&provider, &place.address, &[1], None);
        let Said::Done(solved) = second.said() else {
            panic!("boundary {boundary}: the second process did not end");
        };
        drop(second);
        unsure += provider.reconcile(&place.address, &[1]).await;
        assert!(provider.emulator.stats().jobs_created <= 1 && solved <= 1);
    }
    // Between a purchase's line on record and its request, nobody can know.
    assert!((1..=6).contains(&unsure), "{unsure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_a_request_is_under_way_it_pays_once_and_lists_what_nobody_knows() {
    killed_during_requests(&House::Files).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn killed_over_postgres_while_a_request_is_under_way_it_pays_once_and_lists_what_nobody_knows()
 {
    let Some(house) = House::postgres() else {
        return;
    };
    killed_during_requests(&house).await;
}

async fn killed_during_requests(house: &House) {
    let again = |fault| (fault, 1);
    for (operation, (fault, times), solved) in [
        // The job is accepted, and nobody hears of it.
        (Operation::Create, again(Fault::Hang), 0),
        (Operation::Create, again(Fault::Stall), 0),
        // The job is known, and its answer is not there yet, or half of it.
        (Operation::Poll, (Fault::Hang, u32::MAX), 1),
        (Operation::Poll, (Fault::Stall, u32::MAX), 1),
        (
            Operation::Poll,
            (Fault::Reset(ResetPoint::DuringAnswer), u32::MAX),
            1,
        ),
    ] {
        let mut place = house.place();
        let name = fault.to_string();
        let provider = Provider::start(|it| it.fault(operation, fault, times)).await;
        let mut first = Process::start(&provider, &place.address, &[1], None);
        while provider.emulator.traffic().faults == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            assert!(!first.has_ended());
        }
        first.kill();
        provider.emulator.clear_faults();
        place.later();
        let mut second = Process::start(&provider, &place.address, &[1], None);
        assert_eq!(second.said(), Said::Done(solved), "{operation} {name}");
        drop(second);
        assert_eq!(
            provider.reconcile(&place.address, &[1]).await,
            1 - solved,
            "{operation} {name}"
        );
        assert_eq!(
            provider.emulator.stats().jobs_created,
            1,
            "{operation} {name}"
        );
    }
}
