//! Recordings of what went over the wire, which others attach to a bug report.

use drag_solver::http::{Recording, ReplayTransport};
use drag_solver::providers::Omocaptcha;
use drag_solver::{DragChallenge, DragSolver as _, Screenshot};

use super::answers::{LIMIT, POLL, SCREENSHOT, block_on};
use super::promises::{TOKEN, drag_is_sound, error_hides_the_token, error_is_sound, is_printable};

/// A recording is read, or refused in a line; what was read is told, and is played back to a solver within its time.
pub fn recording(data: &[u8]) {
    let recording = match Recording::parse(&String::from_utf8_lossy(data)) {
        Ok(recording) => recording,
        Err(error) => return is_printable(&error.to_string()),
    };
    let solvers = recording.solvers();
    for call in recording.calls() {
        assert!(solvers.contains(&&*call.solver));
    }
    let transport = ReplayTransport::new(&recording);
    let settings = Omocaptcha::builder().token(TOKEN).poll(POLL);
    let solver = settings.job_timeout(LIMIT).transport(transport.clone());
    let solver = solver.build().expect("sound settings");
    let challenge = DragChallenge::new(Screenshot::from_bytes(SCREENSHOT).expect("a picture"));
    block_on(async {
        match solver.solve(&challenge).await {
            Ok(solution) => drag_is_sound(solution.drag()),
            Err(error) => {
                error_is_sound(&error);
                error_hides_the_token(&error);
            }
        }
    });
    assert!(transport.unplayed().len() <= recording.exchange_count());
}
