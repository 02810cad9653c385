//! The reasons of conditions and events: constants, so that people and dashboards can rely on them.

/// Why a condition is as it is. The variant's name is what stands in `reason`.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
)]
pub enum Reason {
    /// Everything is as declared.
    InSync,
    /// All services are healthy.
    ServicesHealthy,
    /// Some services are on their way.
    ServicesDeploying,
    /// Some services failed.
    ServiceFailed,
    /// Some services need a person on Railway.
    ServiceBlocked,
    /// Nothing was observed yet, or not lately.
    NotObserved,
    /// Changes are being made.
    Applying,
    /// Nothing is under way.
    Settled,
    /// Railway differs from the spec, and nobody asked for it.
    DriftFound,
    /// No drift.
    NoDrift,
    /// The spec does not make sense.
    InvalidSpec,
    /// The template is not there.
    WaitingForTemplate,
    /// A Secret or its key is not there.
    WaitingForSecret,
    /// A secret store does not answer, or not now.
    SecretStoreUnavailable,
    /// The credential is not there or does not work.
    AccountNotReady,
    /// A person must approve the plan.
    AwaitingApproval,
    /// A sequential rollout waits for an earlier wave.
    WaitingForDependency,
    /// The template changed, and other environments follow it first.
    WaitingForWave,
    /// The template changed, and environments that followed it failed.
    TemplateHalted,
    /// A rollout failed, and nothing more is deployed.
    RolloutHalted,
    /// A rollout failed, and what failed is on its way back.
    RollingBack,
    /// A rollout failed, and what failed is back at what was good.
    RolledBack,
    /// Another environment makes the project.
    WaitingForProject,
    /// Railway has not shown the effect of a call yet.
    AwaitingVisibility,
    /// Railway is applying a change.
    ChangeApplying,
    /// A variable's source is not there.
    CopySourceMissing,
    /// The Railway environment belongs to somebody else.
    Conflict,
    /// What was to be imported is not as the spec says.
    ImportDiffers,
    /// What was to be imported is not there.
    ImportMissing,
    /// The project given by id is not there.
    ProjectMissing,
    /// Railway could not be read completely.
    Unobserved,
    /// Two parties keep changing the same thing.
    Fighting,
    /// Every deployment was stopped at once.
    EverythingStopped,
    /// Requests, or creations, are used up for now.
    RateLimitedUntil,
    /// Railway could not be reached.
    RailwayUnreachable,
    /// The answer to a call was lost.
    AnswerLost,
    /// The token was refused.
    Unauthorized,
    /// Railway refused what was asked.
    RailwayRefused,
    /// Railway is busy with an earlier change.
    RailwayBusy,
    /// The configuration changed while it was being changed.
    Replanning,
    /// The live API lacks something.
    UnsupportedByRailway,
    /// Stopped on request.
    Suspended,
    /// Being torn down.
    TearingDown,
    /// Its time is over.
    Expired,
    /// A copy of another environment is ready.
    CopyReady,
    /// A copy of another environment failed and is torn down.
    CopyTakenBack,
    /// Nothing is wrong.
    Healthy,
    /// The plan was carried out, at least in part.
    Applied,
    /// The plan's step failed.
    ApplyFailed,
    /// Something could not be removed.
    Orphaned,
    /// Nothing of it is left on Railway.
    TornDown,
    /// The repository's pull requests are followed.
    Watching,
    /// GitHub was told everything.
    Reported,
    /// GitHub was not told everything.
    NotReported,
    /// GitHub could not be reached, or its answer could not be read.
    GitHubUnreachable,
    /// The credential for GitHub was refused.
    GitHubUnauthorized,
    /// The credential for GitHub lacks a right.
    GitHubForbidden,
    /// The repository is not there, or the credential may not see it.
    GitHubNotFound,
    /// GitHub refused what was asked.
    GitHubRefused,
    /// An environment was made for a pull request.
    PreviewCreated,
    /// An environment was brought to a pull request's latest commit.
    PreviewMoved,
    /// An environment of a pull request is torn down.
    PreviewRemoved,
    /// The repository was read.
    Fetched,
    /// The repository could not be read, for a reason that has no name of its own.
    FetchFailed,
    /// The repository did not answer, or not in time.
    RepositoryUnreachable,
    /// There is no repository at that address, or it does not show itself.
    RepositoryMissing,
    /// The repository holds more than is taken.
    RepositoryTooLarge,
    /// The repository has no such branch, tag or commit.
    RevisionMissing,
    /// The commit has no such folder.
    PathMissing,
    /// A credential is missing or cannot be read.
    CredentialsUnusable,
    /// The SSH server shows a key that is not written down.
    HostKeyUnknown,
    /// Files in the repository are faulty.
    FaultyFiles,
    /// The API server refused an object.
    ObjectRefused,
    /// An earlier object of the same name is on its way out.
    AwaitingRemoval,
    /// Only said, not done, on request.
    DryRun,
    /// Drift was put back.
    DriftReverted,
    /// GitHub does not take what was to be said of a commit.
    CommitNotReported,
}
