//! Calls that are held until somebody lets them go.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use tokio::sync::watch;

use crate::fault::FaultId;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Gate {
    /// How many calls stand before it.
    held: u64,
    /// How often it was opened.
    released: u64,
}

/// The gates of all hold faults.
#[derive(Debug, Default)]
pub(crate) struct Holds(Mutex<BTreeMap<FaultId, watch::Sender<Gate>>>);

/// Counts a call as held while it lives: a caller that hangs up is no longer held.
struct Standing(watch::Sender<Gate>);

impl Drop for Standing {
    fn drop(&mut self) {
        self.0
            .send_modify(|gate| gate.held = gate.held.saturating_sub(1));
    }
}

impl Holds {
    fn gate(&self, id: FaultId) -> watch::Sender<Gate> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(id)
            .or_default()
            .clone()
    }

    /// Stands before the gate until it is opened.
    pub(crate) async fn stand(&self, id: FaultId) {
        let gate = self.gate(id);
        let mut changes = gate.subscribe();
        let opened_before = gate.borrow().released;
        gate.send_modify(|gate| gate.held += 1);
        let _standing = Standing(gate.clone());
        // The sender lives in `self.0`, so waiting cannot fail.
        let _ = changes.wait_for(|gate| gate.released > opened_before).await;
    }

    /// Waits until a call is held by this fault.
    pub(crate) async fn until_held(&self, id: FaultId) {
        let mut changes = self.gate(id).subscribe();
        let _ = changes.wait_for(|gate| gate.held > 0).await;
    }

    /// Lets go what stands before the gate now. Returns how many calls that were.
    pub(crate) fn release(&self, id: FaultId) -> u64 {
        let gate = self.gate(id);
        let held = gate.borrow().held;
        gate.send_modify(|gate| gate.released += 1);
        held
    }

    /// Lets go everything.
    pub(crate) fn release_all(&self) {
        let ids: Vec<FaultId> = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .keys()
            .copied()
            .collect();
        for id in ids {
            self.release(id);
        }
    }

    /// How many calls stand before each gate.
    pub(crate) fn held(&self, id: FaultId) -> u64 {
        self.gate(id).borrow().held
    }
}
