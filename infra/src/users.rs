//! The demo users, made through the user pool's administration interface. Doing it again changes nothing.

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, MessageActionType};

use crate::deploy::Outputs;
use crate::failure::{OrFail, Result};
use crate::progress::Step;
use crate::stack::Stack;

/// Of all demo users. It opens nothing but a stack on this machine.
pub(crate) const PASSWORD: &str = "Cierre-demo-2026!";

/// One demo user.
#[derive(Debug)]
pub(crate) struct DemoUser {
    /// Logs in with this.
    pub(crate) username: &'static str,
    /// The name that the product shows.
    pub(crate) name: &'static str,
    /// The only role.
    pub(crate) role: &'static str,
    /// The company that the user belongs to.
    pub(crate) company: &'static str,
}

const fn user(
    username: &'static str,
    name: &'static str,
    role: &'static str,
    company: &'static str,
) -> DemoUser {
    DemoUser {
        username,
        name,
        role,
        company,
    }
}

/// One per role in company `demo`, and an administrator of another company to show that companies are kept apart.
pub(crate) const DEMO_USERS: [DemoUser; 9] = [
    user("ana", "Ana", "admin", "demo"),
    user("beto", "Beto", "billing", "demo"),
    user("carla", "Carla", "payroll", "demo"),
    user("diego", "Diego", "supervisor", "demo"),
    user("elena", "Elena", "payables", "demo"),
    user("fede", "Fede", "credits", "demo"),
    user("gabi", "Gabi", "expenses", "demo"),
    user("audit", "Auditor", "auditor", "demo"),
    user("olga", "Olga", "admin", "other"),
];

/// Makes the users that are not there, and gives all of them their password and role.
pub(crate) async fn create(stack: &Stack, outputs: &Outputs) -> Result<()> {
    let mut step = Step::begin("Creating the demo users");
    let client = Client::new(&stack.sdk_config().await);
    let pool = outputs.get("UserPoolId")?;
    for user in &DEMO_USERS {
        step.say(user.username);
        if let Err(failure) = create_one(&client, pool, user).await {
            step.failed();
            return Err(failure);
        }
    }
    step.done();
    Ok(())
}

async fn create_one(client: &Client, pool: &str, user: &DemoUser) -> Result<()> {
    let next = "`cargo local reset` and `cargo local up` start from an empty user pool";
    let what = || format!("Cannot create user {}", user.username);
    let mut request = client
        .admin_create_user()
        .user_pool_id(pool)
        .username(user.username)
        .message_action(MessageActionType::Suppress);
    let email = format!("{}@{}.example", user.username, user.company);
    for (key, value) in [
        ("name", user.name),
        ("email", &email),
        ("custom:company_id", user.company),
    ] {
        let attribute = AttributeType::builder()
            .name(key)
            .value(value)
            .build()
            .or_fail(what(), next)?;
        request = request.user_attributes(attribute);
    }
    match request.send().await {
        Ok(_) => {}
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|e| e.is_username_exists_exception()) => {}
        Err(error) => return Err(error).or_fail(what(), next),
    }
    client
        .admin_set_user_password()
        .user_pool_id(pool)
        .username(user.username)
        .password(PASSWORD)
        .permanent(true)
        .send()
        .await
        .or_fail(what(), next)?;
    client
        .admin_add_user_to_group()
        .user_pool_id(pool)
        .username(user.username)
        .group_name(user.role)
        .send()
        .await
        .or_fail(what(), next)?;
    Ok(())
}

/// The users as a table for people.
pub(crate) fn describe() -> String {
    let mut text = format!("Users, all with the password {PASSWORD}");
    for DemoUser {
        username,
        role,
        company,
        name: _,
    } in &DEMO_USERS
    {
        text.push_str(&format!(
            "\n  {username:<8} {role:<12} of company {company}"
        ));
    }
    text
}
