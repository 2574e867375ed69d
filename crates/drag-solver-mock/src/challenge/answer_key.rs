//! The solver that knows the test pictures.

use std::time::Duration;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, Solution, SolveError, Usd, Verdict, WorstCase,
    async_trait,
};

use super::label;

/// Answers [test pictures](super::TestPicture), by the answer that is written into them, and says
/// [`ErrorKind::Unsolvable`] to every other picture: it never invents a drag.
///
/// It answers at once, costs nothing, and looks at nothing but the file. The picture must arrive as
/// it was drawn: re-encoding it loses the answer.
///
/// ```
/// use drag_solver_core::{DragSolver, ErrorKind};
/// use drag_solver_mock::challenge::{AnswerKey, TestPicture};
/// # use drag_solver_core::{DragChallenge, Screenshot};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let picture = TestPicture::draw_sized(7, 200, 400)?;
/// let solution = AnswerKey.solve(&picture.challenge()).await?;
/// assert_eq!(*solution.drag(), picture.drag());
///
/// # let gif = b"GIF89a\x4f\x02\x7d\x04\0\0\0;".to_vec();
/// let unknown = DragChallenge::new(Screenshot::from_bytes(gif)?);
/// let error = AnswerKey.solve(&unknown).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Unsolvable);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerKey;

#[async_trait]
impl DragSolver for AnswerKey {
    fn name(&self) -> &'static str {
        "answer-key"
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let error = |kind, message| SolveError::new(kind, message).with_provider(self.name());
        if challenge.is_expired() {
            return Err(error(
                ErrorKind::DeadlineExceeded,
                "the challenge's deadline had already passed",
            ));
        }
        label::read(challenge.screenshot())
            .map(|drag| Solution::new(drag, self.name()))
            .ok_or_else(|| {
                error(
                    ErrorKind::Unsolvable,
                    "not one of the project's own test pictures, or no longer as it was drawn",
                )
            })
    }

    /// Accepts every report: there is nobody to tell.
    async fn report(&self, _: &Solution, _: Verdict) -> Result<(), SolveError> {
        Ok(())
    }

    fn worst_case(&self) -> WorstCase {
        WorstCase::one_attempt()
            .with_time(Duration::ZERO)
            .with_cost(Usd::ZERO)
    }
}
