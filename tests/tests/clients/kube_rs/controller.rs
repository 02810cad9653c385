//! A controller of somebody else's, with a finalizer and a recorder of its own, beside Mirage's.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use futures::StreamExt as _;
use kube::{
    Api, Client, ResourceExt as _,
    runtime::{
        Controller,
        controller::Action,
        events::{Event as News, EventType, Recorder, Reporter},
        finalizer::{Event as Finalizing, finalizer},
        wait::{await_condition, conditions},
        watcher,
    },
};
use mirage_specs::Environment;
use mirage_tests::process::{
    Mirage, Railway, objects, railway::WritePath, specs::one_image, waiting::PATIENCE,
};
use tokio::sync::mpsc;

const FINALIZER: &str = "outside.example/notes";

struct Outsider {
    client: Client,
    seen: mpsc::UnboundedSender<&'static str>,
}

/// Notes what happens, holds the object until its end was noted, and publishes an Event.
async fn reconcile(
    object: Arc<Environment>,
    outsider: Arc<Outsider>,
) -> Result<Action, kube::runtime::finalizer::Error<kube::Error>> {
    let api: Api<Environment> = objects::environments(&outsider.client);
    finalizer(&api, FINALIZER, Arc::clone(&object), async |event| {
        let what = match event {
            Finalizing::Apply(_) => "applied",
            Finalizing::Cleanup(_) => "cleaned up",
        };
        let recorder = Recorder::new(
            outsider.client.clone(),
            Reporter {
                controller: "outsider".to_owned(),
                instance: None,
            },
        );
        let news = News {
            type_: EventType::Normal,
            reason: "Noted".to_owned(),
            note: Some(what.to_owned()),
            action: "Note".to_owned(),
            secondary: None,
        };
        recorder
            .publish(&news, &kube::Resource::object_ref(object.as_ref(), &()))
            .await?;
        // Nobody listens any more when the test is over.
        let _ = outsider.seen.send(what);
        Ok(Action::await_change())
    })
    .await
}

async fn until_seen(seen: &mut mpsc::UnboundedReceiver<&'static str>, wanted: &str) -> Result<()> {
    let waits = async {
        while let Some(what) = seen.recv().await {
            if what == wanted {
                return Ok(());
            }
        }
        bail!("the controller ended")
    };
    tokio::time::timeout(PATIENCE, waits)
        .await
        .with_context(|| format!("{wanted:?} was not seen"))?
}

#[tokio::test]
async fn wire_66_an_outside_controller_with_a_finalizer_works_beside_mirages_own() -> Result<()> {
    let railway = Railway::start(WritePath::ChangeSet).await?;
    let mirage = Mirage::on(&railway).await?;
    let client = mirage.client().await?;
    let (send, mut seen) = mpsc::unbounded_channel();
    let outsider = Arc::new(Outsider {
        client: client.clone(),
        seen: send,
    });
    let controller = Controller::new(objects::environments(&client), watcher::Config::default())
        .run(
            reconcile,
            |_, _, _| Action::requeue(Duration::from_millis(200)),
            outsider,
        )
        .for_each(|_| std::future::ready(()));
    let running = tokio::spawn(controller);

    objects::apply(&client, &one_image("shop")).await?;
    until_seen(&mut seen, "applied").await?;
    let ready = objects::settled(&client, "shop").await?;
    ensure!(
        ready.finalizers().iter().any(|own| own == FINALIZER),
        "{:?}",
        ready.finalizers()
    );
    ensure!(
        ready.finalizers().len() == 2,
        "Mirage's own is there too: {:?}",
        ready.finalizers()
    );
    let story = mirage.does(&["describe", "shop"]).await?;
    ensure!(
        story.contains("Noted"),
        "the outsider's Event is told: {story}"
    );

    let uid = ready.uid().context("uid")?;
    objects::delete(&client, "shop").await?;
    until_seen(&mut seen, "cleaned up").await?;
    let api = objects::environments(&client);
    let deleted = await_condition(api, "shop", conditions::is_deleted(&uid));
    tokio::time::timeout(PATIENCE, deleted)
        .await
        .context("it did not go")??;
    ensure!(
        railway
            .simulator
            .inventory()
            .environment("shop", "shop")
            .is_none_or(|left| left.deleting),
        "gone on Railway"
    );
    running.abort();
    Ok(())
}
