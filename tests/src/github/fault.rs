//! Faults on demand.

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// It never arrives.
    NotSent,
    /// It is done, and the answer is lost.
    LoseAnswer,
    /// It is not done, and the answer is a server's failure.
    ServerError(u16),
    /// It is done, and the answer is a server's failure all the same.
    ServerErrorAfterEffect(u16),
    /// It is refused for the number of requests.
    SecondaryLimit {
        /// Seconds to wait; none when GitHub says only that it is so.
        retry_after: Option<u64>,
    },
}

/// Strikes requests whose `METHOD path?query` holds a text.
#[derive(Clone, Debug)]
pub struct Fault {
    /// All of these must be in it.
    pub on: Vec<String>,
    /// What happens.
    pub harm: Harm,
    /// How many requests it strikes.
    pub times: u32,
}

impl Fault {
    /// Strikes the next request that holds the text: `POST /repos`, `/comments`.
    pub fn once(on: &str, harm: Harm) -> Self {
        Self {
            on: vec![on.to_owned()],
            harm,
            times: 1,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault that this request meets, which is one fewer then.
    pub(super) fn strike(&mut self, request: &str) -> Option<Harm> {
        let index = self
            .0
            .iter()
            .position(|fault| fault.on.iter().all(|on| request.contains(on)))?;
        let fault = &mut self.0[index];
        let harm = fault.harm;
        fault.times = fault.times.saturating_sub(1);
        if fault.times == 0 {
            self.0.remove(index);
        }
        Some(harm)
    }
}
