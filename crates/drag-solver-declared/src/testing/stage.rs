//! A double on a port of this machine, and solvers that ask it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{ConfigError, Drag, Point, Solution};
use drag_solver_emulator::{Callbacks, Emulator, Fault, Operation, StandIn, stand_in};
use drag_solver_http::{
    CallbackReceiver, Context, HttpOptions, HttpSolver, PollInterval, Recorder,
};
use drag_solver_mock::pictures::TestPicture;

use super::double::{Double, KEY, secret};
use crate::answer::Form;
use crate::api::DeclaredApi;
use crate::service::Declared;

/// How long a call may take that is recorded: some services have clients wait for 5 s.
const RECORDED_FOR: Duration = Duration::from_secs(8);

/// A running double, and what makes solvers for it.
pub(super) struct Stage {
    service: Declared,
    pub(super) double: Arc<Double>,
    pub(super) emulator: Emulator<StandIn>,
    /// Who records what its solvers send.
    pub(super) recorder: Option<Recorder>,
    /// Who takes its calls.
    pub(super) receiver: Option<CallbackReceiver>,
}

impl Stage {
    pub(super) async fn start(
        service: &Declared,
        fault: Option<(&Fault, Operation)>,
        callbacks: Callbacks,
    ) -> io::Result<Self> {
        let api = service.example_api().map_err(io::Error::other)?;
        let double = Double::new(api, service.definition(), KEY, callbacks);
        let double = Arc::new(double);
        let served = Arc::clone(&double);
        let handler = move |request| {
            let served = Arc::clone(&served);
            async move { served.answer(request).await }
        };
        let mut builder = stand_in(handler).token(KEY);
        for (operation, pattern) in service.patterns() {
            builder = builder.operation(operation, &pattern);
        }
        if let Some((fault, operation)) = fault {
            builder = builder.fault(operation, fault.clone(), 1);
        }
        Ok(Self {
            service: service.clone(),
            double,
            emulator: builder.start().await?,
            recorder: None,
            receiver: None,
        })
    }

    pub(super) fn solver(
        &self,
        key: &str,
        request_timeout: Option<Duration>,
    ) -> Result<HttpSolver<DeclaredApi>, ConfigError> {
        self.solver_polling_every(Duration::from_millis(1), key, request_timeout)
    }

    pub(super) fn solver_polling_every(
        &self,
        wait: Duration,
        key: &str,
        request_timeout: Option<Duration>,
    ) -> Result<HttpSolver<DeclaredApi>, ConfigError> {
        let mut options = HttpOptions::default()
            .token(key)
            .base_url(self.emulator.url())
            .poll(PollInterval::new(wait, wait));
        options.request_timeout = request_timeout;
        options.job_timeout = self.recorder.as_ref().map(|_| RECORDED_FOR);
        let secrets = self.service.definition().secrets.clone();
        let lookup = move |name: &str| {
            let (name, _) = secrets.iter().find(|(_, variable)| *variable == name)?;
            Some(secret(name).into())
        };
        let own = self.service.example_settings();
        let context = Context::with_variables(lookup)
            .with_recorder(self.recorder.clone())
            .with_callback_receiver(self.receiver.clone());
        self.service.solver(options, own, &context)
    }
}

pub(super) fn picture(width: u32) -> io::Result<TestPicture> {
    TestPicture::draw_sized(7, width, 400).map_err(io::Error::other)
}

/// The drag that the solver has to make of the true one.
pub(super) fn expected(service: &Declared, drag: Drag) -> io::Result<Drag> {
    let api = service.example_api().map_err(io::Error::other)?;
    Ok(match api.answer.form {
        Form::Both(_) | Form::Each(..) => drag,
        Form::Distance(_, start) => {
            let distance = drag.end.x - drag.start.x;
            Drag::new(start, Point::new(start.x + distance, start.y))
        }
        Form::EndX(_, start) => Drag::new(start, Point::new(drag.end.x, start.y)),
        Form::End(_, start) => Drag::new(start, drag.end),
    })
}

/// What is wrong with an answer, if anything is.
pub(super) fn is_right(
    service: &Declared,
    picture: &TestPicture,
    solution: &Solution,
) -> Result<(), String> {
    let right = expected(service, picture.drag()).map_err(|error| error.to_string())?;
    let off = [
        solution.drag().start.distance(right.start),
        solution.drag().end.distance(right.end),
    ];
    if off.iter().any(|off| *off > 1e-6) {
        return Err(format!("{} in place of {right}", solution.drag()));
    }
    Ok(())
}
