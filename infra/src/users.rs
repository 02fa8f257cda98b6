//! The demo users, made through the user pool's administration interface. Doing it again changes nothing.

use crate::build;
use crate::deploy::Outputs;
use crate::failure::Result;
use crate::process::output_of;
use crate::progress::Step;
use crate::project::Project;
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
    /// The only role, if any: whoever answers for facturas needs none.
    pub(crate) role: Option<&'static str>,
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
        role: Some(role),
        ..without_role(username, name, company)
    }
}

const fn without_role(
    username: &'static str,
    name: &'static str,
    company: &'static str,
) -> DemoUser {
    DemoUser {
        username,
        name,
        role: None,
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

/// The people of the story of payables, with the names that its facturas show.
const PEOPLE_OF_PAYABLES: [DemoUser; 4] = [
    user("pedro", "Pedro Gil", "payables", "demo"),
    user("luis", "Luis Rey", "supervisor", "demo"),
    without_role("jperez", "Juan Perez", "demo"),
    without_role("maria", "Maria Garcia", "demo"),
];

fn all() -> impl Iterator<Item = &'static DemoUser> {
    DEMO_USERS.iter().chain(&PEOPLE_OF_PAYABLES)
}

/// Makes the users that are not there, and gives all of them their password and role, if they have one.
pub(crate) fn create(project: &Project, stack: &Stack, outputs: &Outputs) -> Result<()> {
    let mut step = Step::begin("Creating the demo users");
    let pool = outputs.get("UserPoolId")?;
    for user in all() {
        step.say(user.username);
        let mut command = build::aws_program(project);
        command
            .envs(stack.environment())
            .args(["user", pool, user.username, user.name])
            .args([user.company, PASSWORD])
            .args(user.role);
        let created = output_of(
            &format!("Creating user {}", user.username),
            &mut command,
            "`cargo local reset` and `cargo local up` start from an empty user pool",
        );
        if let Err(failure) = created {
            step.failed();
            return Err(failure);
        }
    }
    step.done();
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
    } in all()
    {
        let role = role.unwrap_or("no role");
        text.push_str(&format!(
            "\n  {username:<8} {role:<12} of company {company}"
        ));
    }
    text
}
