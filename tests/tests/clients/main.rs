//! Clients that nobody here wrote, against the real binary: what each of them asks for is what the server must answer.

mod javascript;
mod kube_rs;
mod python;
mod replayed;
