//! A plan as text.

use std::io::Write;

use mirage_specs::{PlanView, plan::PlanVerb};

use crate::cli::failure::Failure;

/// Writes every action with a mark for what it does, why, and what all of it costs.
pub(crate) fn plan(out: &mut dyn Write, name: &str, plan: &PlanView) -> Result<(), Failure> {
    if plan.actions.is_empty() {
        writeln!(out, "{name}: nothing to do, Railway is as declared.")?;
        return Ok(());
    }
    writeln!(out, "{name}:")?;
    for action in &plan.actions {
        let mark = match action.verb {
            PlanVerb::Create => '+',
            PlanVerb::Update => '~',
            PlanVerb::Delete => '-',
            PlanVerb::Deploy => '>',
        };
        let loss = if action.destroys { "  ! DESTROYS" } else { "" };
        writeln!(
            out,
            "  {mark} {}  [{}]{loss}",
            action.sentence, action.reason
        )?;
    }
    let destroyed = plan.actions.iter().filter(|action| action.destroys).count();
    let all = plan.actions.len();
    writeln!(out)?;
    write!(out, "{all} {}", if all == 1 { "action" } else { "actions" })?;
    match destroyed {
        0 => write!(out, ", none destroys anything")?,
        1 => write!(out, ", 1 DESTROYS data or a running service")?,
        several => write!(out, ", {several} DESTROY data or running services")?,
    }
    let requests = if plan.requests == 1 {
        "request"
    } else {
        "requests"
    };
    writeln!(
        out,
        "; {} Railway {requests}. Plan {}",
        plan.requests, plan.hash
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use mirage_specs::plan::{PlanReason, PlannedAction};

    use super::*;

    fn written(view: &PlanView) -> String {
        let mut out = Vec::new();
        plan(&mut out, "shop", view).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_destroyed_stands_out() {
        let action = |verb, sentence: &str, reason, destroys| PlannedAction {
            target: "x".into(),
            verb,
            sentence: sentence.into(),
            reason,
            destroys,
            deploys: false,
        };
        let view = PlanView {
            hash: "4f1c".into(),
            requests: 3,
            actions: vec![
                action(
                    PlanVerb::Create,
                    "create service web",
                    PlanReason::Missing,
                    false,
                ),
                action(
                    PlanVerb::Update,
                    "set variable LOG_LEVEL of api",
                    PlanReason::Drifted,
                    false,
                ),
                action(
                    PlanVerb::Delete,
                    "delete volume data of db",
                    PlanReason::NoLongerDeclared,
                    true,
                ),
            ],
        };
        insta::assert_snapshot!(written(&view), @r"
        shop:
          + create service web  [Missing]
          ~ set variable LOG_LEVEL of api  [Drifted]
          - delete volume data of db  [NoLongerDeclared]  ! DESTROYS

        3 actions, 1 DESTROYS data or a running service; 3 Railway requests. Plan 4f1c
        ");
    }

    #[test]
    fn an_empty_plan_is_one_sentence() {
        assert_eq!(
            written(&PlanView::default()),
            "shop: nothing to do, Railway is as declared.\n"
        );
    }
}
