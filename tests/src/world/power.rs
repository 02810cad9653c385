//! The switch of one life of the controllers: counts what they do to the world, and cuts them off.

use std::{
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

/// On which side of an effect the cut falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cutting {
    /// It did not happen.
    Before,
    /// It happened, and nobody heard the answer.
    After,
}

/// Where the controllers are cut off. An effect is a mutation sent to Railway or a write to the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The how-manieth effect, counted from 1.
    pub at: u64,
    /// On which side of it.
    pub side: Cutting,
}

/// The switch.
pub(super) struct Power {
    state: Mutex<State>,
    is_cut: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    effects: u64,
    names: Vec<String>,
    armed: Option<Cut>,
}

enum Fate {
    Done,
    Undone,
    DoneUnheard,
}

impl Power {
    pub(super) fn on() -> Self {
        Self {
            state: Mutex::default(),
            is_cut: watch::Sender::new(false),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Numbers are whole after every statement.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Arms a cut; its effects are counted from now.
    pub(super) fn arm(&self, cut: Cut) {
        let mut state = self.state();
        state.armed = Some(Cut {
            at: state.effects + cut.at,
            side: cut.side,
        });
    }

    pub(super) fn disarm(&self) {
        self.state().armed = None;
    }

    pub(super) fn effects(&self) -> u64 {
        self.state().effects
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.state().names.clone()
    }

    /// Waits until the cut has happened.
    pub(super) async fn was_cut(&self) {
        // The sender is `self`, so waiting cannot fail.
        let _ = self.is_cut.subscribe().wait_for(|is_cut| *is_cut).await;
    }

    pub(super) fn off(&self) {
        self.is_cut.send_replace(true);
    }

    /// Carries a call. After the cut nothing comes back, which is all that a killed process notices.
    pub(super) async fn carry<T>(
        &self,
        effect: Option<String>,
        call: impl Future<Output = T>,
    ) -> T {
        if *self.is_cut.borrow() {
            return std::future::pending().await;
        }
        match effect.map_or(Fate::Done, |name| self.count(name)) {
            Fate::Undone => self.off(),
            Fate::DoneUnheard => {
                call.await;
                self.off();
            }
            Fate::Done => {
                let answer = call.await;
                if !*self.is_cut.borrow() {
                    return answer;
                }
            }
        }
        std::future::pending().await
    }

    fn count(&self, name: String) -> Fate {
        let mut state = self.state();
        state.effects += 1;
        state.names.push(name);
        match state.armed {
            Some(cut) if cut.at == state.effects => match cut.side {
                Cutting::Before => Fate::Undone,
                Cutting::After => Fate::DoneUnheard,
            },
            _ => Fate::Done,
        }
    }
}
