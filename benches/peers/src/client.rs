//! One solve: by us and by the other client, of the same picture, with the same requests.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use capmonstercloud_client::requests::CaptchaRequest;
use capmonstercloud_client::{CapMonsterClient, ClientOptions, GetResultTimeouts};
use drag_solver::http::PollInterval;
use drag_solver::prelude::*;
use serde::{Serialize, Serializer};

use crate::Result;
use crate::floor::Floor;

/// Longer than any run.
const LONG: Duration = Duration::from_secs(3_600);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose {
    Ours,
    Peers,
    /// As little as can be held while an answer is waited for.
    Floor,
    /// Sleeps as long as a solve waits: what everybody pays for a task.
    Nobody,
}

impl Whose {
    pub(crate) const BOTH: [Self; 2] = [Self::Ours, Self::Peers];
    pub(crate) const ALL: [Self; 4] = [Self::Ours, Self::Peers, Self::Floor, Self::Nobody];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Peers => "capmonstercloud-client",
            Self::Floor => "floor",
            Self::Nobody => "nobody",
        }
    }

    pub(crate) fn named(name: &str) -> Result<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|whose| whose.name() == name)
            .ok_or_else(|| format!("there is no client `{name}`").into())
    }
}

/// A client and the picture it is to solve.
pub(crate) enum Client {
    Ours(TwoCaptcha, DragChallenge),
    Peers(CapMonsterClient, CoordinatesTask),
    Floor(Floor, DragChallenge),
    Nobody(Duration),
}

impl Client {
    /// One that first polls after `first`. There should be no need for a second poll.
    pub(crate) fn new(whose: Whose, url: &str, picture: Vec<u8>, first: Duration) -> Result<Self> {
        const EVERY: Duration = Duration::from_millis(100);
        let solver = TwoCaptcha::builder()
            .token("token")
            .base_url(url)
            .poll(PollInterval::new(first, EVERY))
            .job_timeout(LONG)
            .build()?;
        let challenge = |picture| Screenshot::from_bytes(picture).map(DragChallenge::new);
        Ok(match whose {
            Whose::Ours => Self::Ours(solver, challenge(picture)?),
            Whose::Floor => {
                let floor = Floor::new(solver, url, [first, EVERY, LONG])?;
                Self::Floor(floor, challenge(picture)?)
            }
            Whose::Peers => {
                let timeouts = GetResultTimeouts::new(first, first, EVERY, LONG);
                let options = ClientOptions::new("token")
                    .with_service_url(url)
                    .with_timeouts_override(timeouts);
                let picture = CoordinatesTask { body: picture };
                Self::Peers(CapMonsterClient::new(options)?, picture)
            }
            Whose::Nobody => Self::Nobody(first),
        })
    }

    pub(crate) async fn solve(&self) -> Result<()> {
        match self {
            Self::Ours(solver, challenge) => {
                solver.solve(challenge).await?;
            }
            Self::Peers(client, picture) => {
                // In a box of its own, as ours is: or else everybody's task has room for this future.
                let solution = Box::pin(client.solve_captcha(picture)).await?;
                if solution["coordinates"][1]["x"] != 320 {
                    return Err(format!("not the answer: {solution}").into());
                }
            }
            Self::Floor(solver, challenge) => {
                solver.solve(challenge).await?;
            }
            Self::Nobody(first) => tokio::time::sleep(*first).await,
        }
        Ok(())
    }
}

/// The task that our client sends, defined as the other client defines its own tasks with a picture
/// (`ImageToTextRequest`).
#[derive(Serialize)]
pub(crate) struct CoordinatesTask {
    #[serde(serialize_with = "as_base64")]
    body: Vec<u8>,
}

fn as_base64<S: Serializer>(bytes: &[u8], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

impl CaptchaRequest for CoordinatesTask {
    const TASK_TYPE: &'static str = "CoordinatesTask";

    fn timeouts(&self) -> GetResultTimeouts {
        GetResultTimeouts::new(Duration::ZERO, Duration::ZERO, LONG, LONG)
    }
}

/// A picture of `size` bytes: the header of a GIF of 720 x 960 pixels, and noise, as compressed
/// pixels are.
pub(crate) fn picture(size: usize) -> Vec<u8> {
    let mut picture = b"GIF89a\xd0\x02\xc0\x03\0\0\0".to_vec();
    let mut state = 1_u32;
    while picture.len() < size {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        picture.push((state >> 24) as u8);
    }
    picture
}
