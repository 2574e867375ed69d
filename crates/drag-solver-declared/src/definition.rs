//! What a declaration can say.

use std::collections::BTreeMap;
use std::time::Duration;

use drag_solver_core::{Billed, ErrorKind, ImageFormat, human_duration};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A provider as a file declares it. `docs/declared-services.md` explains each key.
///
/// What is not said is taken from the family's preset, if there is one.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Definition {
    /// Whose protocol it speaks.
    pub family: Option<Family>,
    /// Who that is, in a line.
    pub about: Option<String>,
    /// Where the service documents what is declared here.
    pub source: Option<String>,
    /// When that was read, as `2026-11-26`.
    pub read: Option<String>,
    /// What is a guess, because the source does not say it.
    pub guessed: Vec<String>,

    /// Variable of the environment that holds the key of the account.
    #[serde(deserialize_with = "variable")]
    pub key: Option<String>,
    /// Where the API is.
    pub base_url: Option<String>,
    /// Other secrets: a name, and the variable that holds it.
    #[serde(deserialize_with = "variables")]
    pub secrets: BTreeMap<String, String>,
    /// What users may set: a name, and what it is otherwise.
    pub settings: BTreeMap<String, Value>,
    /// The pictures that are taken.
    pub limits: Option<Limits>,
    /// What a job costs that the service gave up on.
    pub unsolvable: Option<Billed>,

    /// The request that buys.
    pub create: Call,
    /// The request that asks; there are no jobs without it.
    pub poll: Option<Call>,
    /// How far a job is.
    pub state: Option<State>,
    /// Where the answer is.
    pub answer: Answer,
    /// What says that a request was refused. Any of them does.
    pub refused: Option<Vec<Condition>>,
    /// Where the text of a refusal is; all that are there are shown.
    pub message: Option<Pointers>,
    /// Where a code of the createTask family is, which then says what a refusal means.
    pub codes: Option<Codes>,
    /// What refusals mean. The first that matches counts.
    pub errors: Vec<ErrorRow>,
    /// What an answer cost.
    pub cost: Option<Cost>,
    /// The request that asks what is left in the account.
    pub balance: Option<Call>,
    /// The requests that report on answers.
    pub report: Reports,
    /// Whether responses may be a text, as in `OK|123`.
    pub plain_text: Option<bool>,
}

/// Families of protocols that services have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub enum Family {
    /// Anti-Captcha's and 2Captcha's: `createTask`, `getTaskResult`.
    #[serde(rename = "createTask")]
    CreateTask,
    /// omocaptcha's first: `createJob`, `getJobResult`.
    #[serde(rename = "createJob")]
    CreateJob,
    /// 2Captcha's first: `in.php`, `res.php`.
    #[serde(rename = "in.php")]
    InPhp,
}

/// The pictures that a service takes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// The largest file, in bytes.
    pub max_bytes: Option<u64>,
    /// The longest side, in pixels.
    pub max_side: Option<u32>,
    /// The formats; all of them unless set.
    pub formats: Vec<ImageFormat>,
}

/// One request, and what its response is read for.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Call {
    /// `GET` or `POST`; `POST` if there is a body.
    pub method: Option<Method>,
    /// Below the base URL.
    pub path: Option<String>,
    /// What the query holds.
    pub query: BTreeMap<String, String>,
    /// What the headers hold.
    pub headers: BTreeMap<String, String>,
    /// A body of JSON.
    pub json: Option<Value>,
    /// A body as a web form sends it.
    pub form: Option<Map<String, Value>>,
    /// A body in parts, of which one may be a file.
    pub multipart: Option<Map<String, Value>>,
    /// Of `create`: where the job's id is, the first that is there; `location` is the end of a redirect's
    /// path.
    pub job: Option<Pointers>,
    /// Of `poll`: the wait before the first.
    #[serde(with = "human_duration::option")]
    pub first: Option<Duration>,
    /// Of `poll`: the wait before each other one.
    #[serde(with = "human_duration::option")]
    pub every: Option<Duration>,
    /// Of `balance`: where the US dollars are.
    pub at: Option<Pointers>,
}

/// How a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[allow(clippy::exhaustive_enums)] // services use these
pub enum Method {
    /// Without a body.
    #[serde(rename = "GET")]
    Get,
    /// With a body.
    #[serde(rename = "POST")]
    Post,
}

/// The words that say how far a job is. Letter case does not matter; an unknown word is asked about
/// again, and told if nothing else comes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct State {
    /// Where the word is.
    pub at: Option<Pointers>,
    /// Not done yet.
    pub running: Option<Words>,
    /// Done.
    pub solved: Option<Words>,
    /// Given up.
    pub failed: Option<Words>,
}

/// Where the answer is, in one of these forms.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Answer {
    /// Both points at once, in any shape.
    pub at: Option<Pointers>,
    /// The start, for an `end` elsewhere.
    pub start: Option<Pointers>,
    /// The end.
    pub end: Option<Pointers>,
    /// How far to the right of `from`.
    pub distance: Option<Pointers>,
    /// How far from the left edge the end is, as high as `from`.
    pub end_x: Option<Pointers>,
    /// A start that is known before, in pixels.
    pub from: Option<Value>,
    /// What the numbers are; pixels unless set.
    pub unit: Option<Unit>,
}

impl Answer {
    /// Whether it says where the answer is.
    pub(crate) fn has_form(&self) -> bool {
        let all = [
            &self.at,
            &self.start,
            &self.end,
            &self.distance,
            &self.end_x,
        ];
        all.iter().any(|pointers| pointers.is_some())
    }
}

/// What the numbers of an answer are.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unit {
    /// Pixels of the picture that is sent.
    Pixels,
    /// Fractions of its width and height.
    Fraction,
    /// Percent of its width and height.
    Percent,
    /// Pixels of the picture as it is shown, so many of them wide.
    ViewWidth(Value),
}

/// Something that a response says.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Condition {
    /// Where it is. Without `is` and `is_not` it is enough that there is something.
    pub at: Option<Pointers>,
    /// It is one of these.
    pub is: Option<Words>,
    /// It is none of these.
    pub is_not: Option<Words>,
    /// And there is nothing here.
    pub without: Option<Pointers>,
}

/// Where a code of the createTask family is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Codes {
    /// The code, `ERROR_ZERO_BALANCE`.
    pub at: Option<Pointers>,
    /// The number that counts where there is no code.
    pub number: Option<Pointers>,
}

/// What a refusal means.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ErrorRow {
    /// Where it is; the refusal's message unless set.
    pub at: Option<Pointers>,
    /// It is one of these. Letter case does not matter.
    pub is: Option<Words>,
    /// It holds all of these. Letter case does not matter.
    pub contains: Option<Words>,
    /// The HTTP status.
    pub status: Option<u16>,
    /// It is this error,
    pub kind: Option<ErrorKind>,
    /// or it is no error, and the job is so far.
    pub state: Option<RowState>,
    /// What was billed. Unless set, nothing; of a status of 500 and more that may come after the work,
    /// `maybe`.
    pub billed: Option<Billed>,
    /// How long to wait before the next request.
    #[serde(with = "human_duration::option")]
    pub wait: Option<Duration>,
}

/// How far a job is whose state is told as an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(clippy::exhaustive_enums)] // what a job can be but solved
pub enum RowState {
    /// Not done yet.
    Running,
    /// Given up.
    Failed,
    /// Not known: not yet, or no longer.
    Missing,
}

/// What an answer cost.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Cost {
    /// Where it is.
    pub at: Option<Pointers>,
    /// What the number is; US dollars unless set.
    pub unit: Option<Money>,
}

/// What an amount is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(clippy::exhaustive_enums)] // other currencies have no fixed rate
pub enum Money {
    /// US dollars.
    Usd,
    /// Hundredths of a US dollar.
    Cents,
}

/// The requests that report on answers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Reports {
    /// It was right.
    pub correct: Option<Call>,
    /// It was wrong.
    pub incorrect: Option<Call>,
}

/// Places in a response, as JSON pointers (RFC 6901): one, or a list. They lead through JSON that is
/// written in a text, too.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Pointers(pub Vec<String>);

/// Words to compare with: one, or a list. Numbers and flags are words, too.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Words(pub Vec<String>);

/// Reads the name of a variable. What stands in its place may be the key, and is not shown.
fn variable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let read = Option::deserialize(deserializer);
    read.map_err(|_| D::Error::custom(NO_VARIABLE))
}

fn variables<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let read = BTreeMap::deserialize(deserializer);
    read.map_err(|_| {
        D::Error::custom("must be a table of names and variables, as in { user = \"CLERK_USER\" }")
    })
}

/// What is wrong with a key that is no variable.
pub(crate) const NO_VARIABLE: &str = "must be the name of a variable of the environment, as in \
    \"HMCAPTCHA_API_KEY\": the key itself is not written into the file";

#[derive(Deserialize)]
#[serde(untagged, expecting = "must be a text, or a list of texts")]
enum OneOrMany {
    One(Word),
    Many(Vec<Word>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Word {
    Flag(bool),
    Whole(i64),
    Number(f64),
    Text(String),
}

impl OneOrMany {
    fn into_words(self) -> Vec<String> {
        let words = match self {
            Self::One(word) => vec![word],
            Self::Many(words) => words,
        };
        let text = |word| match word {
            Word::Flag(flag) => flag.to_string(),
            Word::Whole(number) => number.to_string(),
            Word::Number(number) => number.to_string(),
            Word::Text(text) => text,
        };
        words.into_iter().map(text).collect()
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(OneOrMany::deserialize(deserializer)?.into_words()))
    }
}

impl<'de> Deserialize<'de> for Pointers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(OneOrMany::deserialize(deserializer)?.into_words()))
    }
}
