//! Why a chain is proposed, in sentences.

use super::proposal::{Estimated, Goal, Proposal};

pub(super) fn why(proposal: &Proposal, names: &[String]) -> Vec<String> {
    let Some(first) = proposal.candidates.first() else {
        return Vec::new();
    };
    let asked = asked(&proposal.goal);
    let shown = |one: &Estimated| {
        let usd = one
            .usd_per_right
            .map_or("no right answer".to_owned(), |usd| {
                format!("{} a right answer", money(usd))
            });
        format!(
            "{usd}, {:.1} % right, p99 {:.1} s",
            one.share_right * 100.0,
            one.seconds_p99
        )
    };
    let count = proposal.candidates.len();
    let met = proposal
        .candidates
        .iter()
        .filter(|one| one.meets_goal)
        .count();
    if !proposal.is_met {
        let fastest = proposal
            .candidates
            .iter()
            .min_by(|one, other| one.seconds_p99.total_cmp(&other.seconds_p99))
            .unwrap_or(first);
        return vec![
            if asked.is_empty() {
                format!("None of {count} chains gives a right answer.")
            } else {
                format!("None of {count} chains {asked}.")
            },
            format!(
                "The fastest is {}: {}.",
                fastest.candidate.in_words(names),
                shown(fastest)
            ),
        ];
    }
    let mut why = vec![
        format!("{}: {}.", first.candidate.in_words(names), shown(first)),
        if asked.is_empty() {
            format!("It is the cheapest per right answer of {count} chains.")
        } else {
            format!(
                "It is the cheapest per right answer of the {met} chains, of {count}, that {asked}."
            )
        },
    ];
    if let (Some(limit), Some(p99)) = (proposal.goal.within, proposal.seconds_p99)
        && p99.high > limit.as_secs_f64()
    {
        why.push(format!(
            "With so few pictures its p99 may be anything from {:.1} to {:.1} s, so it may take longer than {limit:?}: \
             measure more.",
            p99.low, p99.high
        ));
    }
    let cost = |one: &Estimated| one.usd_per_right.unwrap_or(f64::INFINITY);
    let cheaper = proposal
        .candidates
        .iter()
        .filter(|one| !one.meets_goal && cost(one) < cost(first));
    if let Some(cheaper) = cheaper.min_by(|one, other| cost(one).total_cmp(&cost(other))) {
        why.push(format!(
            "Cheaper, but not what was asked: {}: {}.",
            cheaper.candidate.in_words(names),
            shown(cheaper)
        ));
    }
    if let Some(next) = proposal.candidates.get(1).filter(|next| next.meets_goal) {
        why.push(format!(
            "Next: {}: {}.",
            next.candidate.in_words(names),
            shown(next)
        ));
    }
    why
}

/// What was asked, as what a chain does. Empty if nothing was.
fn asked(goal: &Goal) -> String {
    let within = goal
        .within
        .map(|limit| format!("answer 99 of 100 challenges within {limit:?}"));
    let right = goal
        .min_right
        .map(|share| format!("are right in {:.1} % or more", share * 100.0));
    let parts: Vec<String> = within.into_iter().chain(right).collect();
    parts.join(" and ")
}

/// Money with as many digits as mean something.
pub(crate) fn money(usd: f64) -> String {
    if usd == 0.0 {
        return "$0".to_owned();
    }
    #[allow(clippy::cast_possible_truncation)] // of any price, a few digits
    let places = (2 - usd.abs().log10().floor() as i32).clamp(2, 9);
    format!("${usd:.*}", usize::try_from(places).unwrap_or(2))
}
