//! The solver that a service is.

use std::ffi::OsString;
use std::fmt;
use std::time::Duration;

use drag_solver_core::{
    DragChallenge, DragSolver, ScreenshotLimits, Solution, SolveError, Verdict, WorstCase,
    async_trait,
};

use super::{TaskConfig, TaskJobs, TaskService, TaskSolverBuilder, config};
use crate::{Balance, ConfigError, Context, HttpSolver, Provider, Variable};

/// A [`DragSolver`] that asks a service of the `createTask` family. Cloning is cheap and shares the
/// connections.
///
/// See [`HttpSolver`] for what it does about lost connections, deadlines and paid jobs.
pub struct TaskSolver<S> {
    solver: HttpSolver<TaskJobs<S>>,
}

impl<S: TaskService> TaskSolver<S> {
    /// Settings, to be given one by one.
    #[must_use]
    pub fn builder() -> TaskSolverBuilder<S> {
        TaskSolverBuilder::default()
    }

    /// A solver with the settings of the environment: [`TaskService::KEY_VARIABLE`] and
    /// [`TaskService::BASE_URL_VARIABLE`].
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the variable.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| std::env::var_os(name))
    }

    /// A solver with the settings that `lookup` returns for the names of the environment's
    /// variables: for settings that come from elsewhere, and for tests.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the variable.
    pub fn from_variables(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let config = TaskConfig::from_variables::<S>(lookup)?;
        TaskSolverBuilder::from(config)
            .build()
            .map_err(config::of_variable::<S>)
    }

    /// Asks what is left in the account. Costs nothing.
    pub async fn balance(&self) -> Result<Balance, SolveError> {
        let tasks = self.solver.api().tasks();
        let read = |answer: &_| tasks.balance(answer);
        self.solver.ask(tasks.get_balance(), read).await
    }

    pub(super) fn over(solver: HttpSolver<TaskJobs<S>>) -> Self {
        Self { solver }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: TaskService> DragSolver for TaskSolver<S> {
    fn name(&self) -> &str {
        self.solver.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        self.solver.solve(challenge).await
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.solver.report(solution, verdict).await
    }

    fn worst_case(&self) -> WorstCase {
        self.solver.worst_case()
    }

    fn limits(&self) -> ScreenshotLimits {
        self.solver.limits()
    }
}

#[async_trait]
impl<S: TaskService> Provider for TaskSolver<S> {
    const NAME: &'static str = S::NAME;
    const ALIASES: &'static [&'static str] = S::ALIASES;
    const ABOUT: &'static str = S::BASE_URL;
    const VARIABLES: &'static [Variable] = &[
        Variable::new(S::KEY_VARIABLE, "API key of the account"),
        Variable::new(S::BASE_URL_VARIABLE, "where the API is").or(S::BASE_URL),
    ];
    type Config = TaskConfig;

    fn open(config: TaskConfig, context: &Context) -> Result<Self, ConfigError> {
        let has_base_url = config.base_url.is_some();
        let config = config
            .or_variables::<S>(|name| context.variable(name))?
            .with_secrets(context)?;
        if config.token.is_none() {
            return Err(context.no_token(S::KEY_VARIABLE));
        }
        let mut builder = TaskSolverBuilder::from(config);
        if context.attempt_limit().is_some() {
            builder = builder.job_timeout(Duration::MAX);
        }
        builder.build().map_err(|error| match error.setting() {
            "base_url" if !has_base_url => error.of_setting(S::BASE_URL_VARIABLE),
            _ => error,
        })
    }

    async fn balance(&self) -> Result<Balance, SolveError> {
        Self::balance(self).await
    }
}

impl<S> Clone for TaskSolver<S> {
    fn clone(&self) -> Self {
        Self {
            solver: self.solver.clone(),
        }
    }
}

impl<S: TaskService> fmt::Debug for TaskSolver<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.solver.fmt(f)
    }
}
