//! `flotilla token …`: secrets with which programs call the API.

use crate::{
    age::{ago, until},
    args::{CreateToken as Arguments, TokenCommand},
    clock, device,
    failure::Failure,
    out,
    table::Table,
};
use flotilla_client::Client;
use flotilla_protocol::{
    Timestamp,
    api::{ApiToken, CreateToken, ListTokens, RevokeToken, Role, Verb},
};

pub(crate) async fn run(client: &Client, command: TokenCommand) -> Result<(), Failure> {
    match command {
        TokenCommand::Create(arguments) => create(client, arguments).await,
        TokenCommand::List { json } => list(client, json).await,
        TokenCommand::Revoke { name } => revoke(client, name).await,
    }
}

async fn create(client: &Client, arguments: Arguments) -> Result<(), Failure> {
    let json = arguments.json;
    let created = client.send(&request(arguments)).await?;
    if json {
        return Ok(out::json(&created)?);
    }
    // The answer is the token alone, so that a script can keep it in a variable.
    out::line(&created.token)?;
    out::note(&format!(
        "It expires {} and is not shown again. A program uses it with FLOTILLA_API=http://{} and FLOTILLA_API_TOKEN. To end it: flotilla token revoke {}",
        until(created.expires, clock::now()),
        client.address(),
        created.name
    ));
    Ok(())
}

fn request(arguments: Arguments) -> CreateToken {
    CreateToken {
        name: arguments.name.to_string(),
        roles: arguments.roles,
        verbs: arguments.verbs,
        tags: arguments.tags.iter().map(ToString::to_string).collect(),
        devices: arguments.devices,
        expires_seconds: arguments.expires.map(|seconds| seconds.0),
    }
}

async fn list(client: &Client, json: bool) -> Result<(), Failure> {
    let tokens = client.send(&ListTokens).await?;
    Ok(out::answer(json, &tokens, || {
        table(&tokens.items, clock::now()).render()
    })?)
}

fn table(tokens: &[ApiToken], now: Timestamp) -> Table<5> {
    let mut table = Table::new(["NAME", "MAY", "WHERE", "EXPIRES", "LAST USED"]);
    for token in tokens {
        let roles = token.roles.iter().map(Role::to_string);
        let verbs = token.verbs.iter().map(Verb::to_string);
        let expires = if token.expires <= now {
            "expired".to_owned()
        } else {
            until(token.expires, now)
        };
        table.push([
            token.name.to_string(),
            roles.chain(verbs).collect::<Vec<_>>().join(", "),
            places(token),
            expires,
            token
                .last_used
                .map_or_else(|| "never".to_owned(), |at| ago(at, now)),
        ]);
    }
    table
}

fn places(token: &ApiToken) -> String {
    let tags = device::join(&token.tags);
    match (token.everywhere, tags.as_str(), token.devices.join(", ")) {
        (true, ..) => "everywhere".to_owned(),
        (false, "", devices) => devices,
        (false, tags, devices) if devices.is_empty() => format!("tagged {tags}"),
        (false, tags, devices) => format!("tagged {tags}; {devices}"),
    }
}

async fn revoke(client: &Client, name: String) -> Result<(), Failure> {
    let message = format!("Token {name} is revoked. Programs that use it are refused.");
    client.send(&RevokeToken { token: name }).await?;
    Ok(out::line(&message)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_says_what_each_token_may_where_and_for_how_long() {
        let tokens: Vec<ApiToken> = serde_json::from_value(json!([
            {
                "name": "ci", "roles": ["viewer"], "verbs": ["operate"], "tags": ["prod", "edge"], "devices": ["nas"],
                "created": "2026-01-01T00:00:00Z", "expires": "2026-01-31T00:00:00Z", "last_used": "2026-01-02T07:00:00Z",
            },
            {
                "name": "grafana", "roles": ["viewer"], "everywhere": true,
                "created": "2025-01-01T00:00:00Z", "expires": "2025-12-31T00:00:00Z",
            },
            {
                "name": "pi", "verbs": ["operate"], "devices": ["pi", "pi-2"],
                "created": "2026-01-01T00:00:00Z", "expires": "2026-01-02T08:05:00Z",
            },
        ]))
        .unwrap();
        insta::assert_snapshot!(table(&tokens, "2026-01-02T07:05:00Z".parse().unwrap()).render(), @r"
        NAME      MAY               WHERE                    EXPIRES   LAST USED
        ci        viewer, operate   tagged prod, edge; nas   in 28 d   5 min ago
        grafana   viewer            everywhere               expired   never
        pi        operate           pi, pi-2                 in 1 h    never
        ");
    }
}
