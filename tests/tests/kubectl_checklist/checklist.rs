//! How an item of the list becomes a test.

use anyhow::Result;
use futures::future::LocalBoxFuture;
use mirage_tests::process::{Mirage, kubectl};

use crate::scene::Scene;

/// A promise, and how it is tried.
pub(crate) struct Item {
    /// Its number and what it says.
    pub(crate) name: &'static str,
    /// Tries it. Needs nothing but the scene, so that many may share a server.
    pub(crate) run: for<'s> fn(&'s Scene<'s>) -> LocalBoxFuture<'s, Result<()>>,
}

/// Makes a test of each item, for the newest kubectl, and `ITEMS` of all, for the others.
macro_rules! checklist {
    ($($item:ident),* $(,)?) => {
        pub(crate) const ITEMS: &[$crate::checklist::Item] = &[$(
            $crate::checklist::Item { name: stringify!($item), run: |scene| Box::pin($item(scene)) }
        ),*];

        mod by_the_newest {
            $(
                #[tokio::test]
                async fn $item() -> anyhow::Result<()> {
                    $crate::checklist::alone(|scene| Box::pin(super::$item(scene))).await
                }
            )*
        }
    };
}
pub(crate) use checklist;

/// Tries an item on a server of its own, by the newest kubectl.
pub(crate) async fn alone(
    run: for<'s> fn(&'s Scene<'s>) -> LocalBoxFuture<'s, Result<()>>,
) -> Result<()> {
    let Some(newest) = kubectl::newest() else {
        return Ok(());
    };
    let mirage = Mirage::api_only().await?;
    run(&Scene::on(&mirage, newest, "checklist").await?).await
}
