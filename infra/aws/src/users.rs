//! Users, made through the user pool's administration interface. Doing it again changes nothing.

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, MessageActionType};

use crate::Outcome;

/// A user to be there.
pub(crate) struct User<'a> {
    /// Logs in with this.
    pub(crate) username: &'a str,
    /// The name that the product shows.
    pub(crate) name: &'a str,
    /// The company that the user belongs to.
    pub(crate) company: &'a str,
    /// Permanent: no challenge at the first login.
    pub(crate) password: &'a str,
    /// The groups of the user, which are its roles; may be none.
    pub(crate) roles: &'a [&'a str],
}

/// Makes the user if it is not there, and gives it its password and roles.
pub(crate) async fn create(client: &Client, pool: &str, user: &User<'_>) -> Outcome {
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
        let attribute = AttributeType::builder().name(key).value(value).build()?;
        request = request.user_attributes(attribute);
    }
    match request.send().await {
        Ok(_) => {}
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|e| e.is_username_exists_exception()) => {}
        Err(error) => return Err(error.into()),
    }
    client
        .admin_set_user_password()
        .user_pool_id(pool)
        .username(user.username)
        .password(user.password)
        .permanent(true)
        .send()
        .await?;
    for role in user.roles {
        client
            .admin_add_user_to_group()
            .user_pool_id(pool)
            .username(user.username)
            .group_name(*role)
            .send()
            .await?;
    }
    Ok(())
}
