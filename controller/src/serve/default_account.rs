//! The RailwayAccount `default`: the process's own token, as an object that people can look at.

use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};
use mirage_railway::client::Token;
use mirage_reconcilers::accounts::DEFAULT;
use mirage_specs::{RailwayAccount, RailwayAccountSpec, account::TokenType};

/// Makes the account unless it is there. One that is there is the user's, who may have given it another token.
pub(super) async fn ensure(client: Client, token: &Token) -> Result<(), kube::Error> {
    let (namespace, name) = DEFAULT;
    let api: Api<RailwayAccount> = Api::namespaced(client, namespace);
    if api.get_opt(name).await?.is_some() {
        return Ok(());
    }
    let account = RailwayAccount {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        spec: RailwayAccountSpec {
            token_type: Some(match token {
                Token::Project(_) => TokenType::Project,
                Token::Account(_) | Token::Workspace(_) => TokenType::Account,
            }),
            ..RailwayAccountSpec::default()
        },
        status: None,
    };
    match api.create(&PostParams::default(), &account).await {
        // Somebody was quicker, with the same intention.
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        created => created.map(drop),
    }
}
