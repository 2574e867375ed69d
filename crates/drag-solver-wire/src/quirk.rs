//! What real services do differently from their documentation, or from each other.

/// Rows of a table: each habit and what it is.
macro_rules! quirks {
    ($($(#[$doc:meta])* $quirk:ident,)+) => {
        /// One habit of a real service that a client has to tolerate. The default is to answer exactly as
        /// documented.
        ///
        /// A quirk of one protocol means nothing to the others, so it is safe to switch on all of
        /// [`Quirk::ALL`] that do not exclude each other.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Quirk {
            $($(#[$doc])* $quirk,)+
        }

        impl Quirk {
            /// Every quirk there is.
            pub const ALL: &'static [Self] = &[$(Self::$quirk),+];
        }
    };
}

quirks! {
    /// omocaptcha v1: `"status": "waiting"` where the documentation says `running`.
    Waiting,
    /// `createTask` family: `"status": "idle"` where the documentation says `processing`.
    Idle,
    /// All: `"status": "queued"`, which no provider documents, for "not yet". Wins over the two above.
    UnknownStatus,
    /// omocaptcha v1: `"result": ""` where there is none, not `null`.
    EmptyResult,
    /// omocaptcha v1: `success`, with the opposite value, in place of `error`.
    SuccessFlag,
    /// omocaptcha v1: a refusal is `{"errorId": 0, "taskId": 123456}`, as the documentation of
    /// `createJob` has it, with neither an `error` nor a `job_id`.
    LeftoverRefusal,
    /// omocaptcha v1: giving up adds `"error_code": ""`.
    EmptyErrorCode,
    /// `createTask` family: refusals have an empty `errorCode` and `errorDescription`.
    BareErrors,
    /// Numeric job ids are sent as strings.
    IdsAsStrings,
    /// Numeric job ids are odd numbers above 2^53: a client that keeps them in a binary float asks
    /// about a job that does not exist.
    HugeIds,
    /// 2Captcha, Anti-Captcha: `cost` and `solveCount` of the other JSON type than by default.
    OtherCostType,
    /// All: the balance as a number where it is documented as a string, and the reverse.
    OtherBalanceType,
    /// `createTask` family: `createTask` waits for the result and has it in its own answer.
    ResultInCreate,
    /// 2Captcha, Anti-Captcha: coordinates are not rounded to whole pixels.
    DecimalCoordinates,
    /// `createTask` family: coordinates are sent as numeric strings.
    CoordinatesAsStrings,
    /// `in.php`: an answer begins with `coordinate:`, as the documentation has it, where the service sends
    /// `coordinates:`.
    SingularPrefix,
    /// `in.php`: ids in JSON are numbers.
    NumericIds,
}
