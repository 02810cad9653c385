//! What the operating system knows of a process.

use std::net::TcpListener;

use anyhow::{Context as _, Result};

/// The most memory that it ever had resident, in MiB (Linux: `VmHWM` of /proc/PID/status).
pub(super) fn peak_memory(pid: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("/proc has no VmHWM")?;
    let kilobytes: f64 = line
        .split_whitespace()
        .next()
        .context("VmHWM is empty")?
        .parse()?;
    Ok(kilobytes / 1024.0)
}

/// Ports that nobody listens on just now.
pub(super) fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let listeners: Vec<TcpListener> = (0..N)
        .map(|_| TcpListener::bind("127.0.0.1:0"))
        .collect::<Result<_, _>>()?;
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}
