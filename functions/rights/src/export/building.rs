//! Building exports and mailing their links: a bounded part at a call.
//!
//! A step stores its part with the step that follows it, and then the export goes on to there. A part is never
//! overwritten: of two that build at once the first one's part stays, and the export goes on from what that one says.
//! Stopped between the two, the next call's part changes nothing, and the export goes on all the same.
//!
//! The token is made when everything is built. The row keeps it sealed until the mail is accepted, so that a mail whose
//! answer was lost is sent again with the same link: two mails are harmless, none is not.
//!
//! Whose turn it is says [`super::turn`].
//!
//! What cannot be read is tried again for [`PATIENCE`]. Then the copy is made without it, and says so: one value that is
//! lost keeps nobody from all the others.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::json;
use shared::chain::{self, Unanswered};
use shared::crypto::{Broken, PersonKey};
use shared::data_map::Holding;
use shared::http::{Context, Problem};
use shared::log::Level;
use shared::session::Token;
use shared::sql::{Parameter, Row, SqlError, statements};
use shared::time::Timestamp;
use shared::{random, variables};
use uuid::Uuid;

use super::missing::{self, Missing};
use super::rows::{BUILT_WITHIN, email_context};
use super::step::{Step, tables};
use super::turn::{self, Turn};
use crate::holdings::{self, page_of};
use crate::mail::{self, Mail, NotSent};
use crate::person::Person;

/// The most parts that one call builds.
const MOST_PARTS: usize = 20;
/// The most mails that one call sends: a provider that is slow takes seconds for each.
const MOST_MAILS: usize = 2;
/// How many rows are one part.
const ROWS: usize = 500;
/// How many links are one part.
const LINKS: i64 = 100;
/// How long what cannot be read is tried again. A store that is away comes back in that time.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a link lives after its mail.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

statements! {
    /// A part, if none has come before it.
    STORE = "INSERT INTO export_parts (export_id, ordinal, name, content, missing, next) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (export_id, ordinal) DO NOTHING";
    /// On to what the newest part says.
    ADVANCE = "UPDATE exports SET parts = parts + 1, step = (SELECT p.next FROM export_parts p \
                 WHERE p.export_id = exports.id AND p.ordinal = exports.parts) \
               WHERE id = $1 AND status = 'building' AND parts = $2 \
                 AND EXISTS (SELECT 1 FROM export_parts p WHERE p.export_id = exports.id AND p.ordinal = $2)";
    /// On without a part, where there is nothing to store.
    SKIP = "UPDATE exports SET step = $1 WHERE id = $2 AND status = 'building' AND step = $3";
    /// Where it stands now.
    STANDING = "SELECT step, parts FROM exports WHERE id = $1 AND status = 'building'";
    /// Everything is built: the token, sealed. It can be mailed at once.
    MAIL = "UPDATE exports SET status = 'mailing', step = $1, token_hash = $2, due_at = $3 \
            WHERE id = $4 AND status = 'building' AND step = 'mail'";
    /// The mail is on its way, unless there is another address by now.
    READY = "UPDATE exports SET status = 'ready', step = '', ready_at = $1, expires_at = $2 \
             WHERE id = $3 AND status = 'mailing' AND email = $4";
    /// The address takes no mail, unless there is another by now.
    FAIL = "UPDATE exports SET status = 'failed', step = '', token_hash = NULL, expires_at = $1 \
            WHERE id = $2 AND status = 'mailing' AND email = $3";
    /// The next file that the service keeps itself.
    FILE = "SELECT u.id, u.content_type FROM uploads u \
            WHERE u.account_id = $1 AND u.id > $2 AND u.slot IS NOT NULL AND u.completed_at IS NOT NULL \
            ORDER BY u.id LIMIT $3";
    /// The next files that are in the object store.
    ELSEWHERE = "SELECT u.id FROM uploads u \
                 WHERE u.account_id = $1 AND u.id > $2 AND u.slot IS NULL AND u.completed_at IS NOT NULL \
                 ORDER BY u.id LIMIT $3";
}

/// An export that is under way.
struct Job {
    id: Uuid,
    person: Person,
    email: Vec<u8>,
    step: String,
    parts: i64,
    created_at: Timestamp,
}

/// What a step makes.
struct Part {
    /// The file that it belongs to; several parts one after the other can make one. None if that is missing.
    name: Option<String>,
    content: Vec<u8>,
    missing: Vec<Missing>,
    next: Step,
}

/// Sends some mails and builds some parts. What fails of one export is logged and has another turn later; the others go
/// on.
///
/// Mails come first: a turn is measured from when the call came, and nobody else may have it while a mail is sent.
///
/// # Errors
/// The database failed.
pub fn work(cx: &Context) -> Result<chain::Part, Problem> {
    let (mut mails, mut mailed) = (0, 0);
    for row in turn::next(cx, "mailing", MOST_MAILS)? {
        if Turn::take(cx, &row)?.is_some() {
            mails += 1;
            let sent = Job::from_row(cx, &row).and_then(|job| job.mail(cx));
            mailed += usize::from(survive(cx, sent));
        }
    }
    let (mut jobs, mut built, mut finished) = (0, 0, 0);
    for row in turn::next(cx, "building", MOST_PARTS)? {
        if built == MOST_PARTS {
            break;
        }
        let Some(turn) = Turn::take(cx, &row)? else {
            continue;
        };
        jobs += 1;
        let before = built;
        let worked = Job::from_row(cx, &row).and_then(|mut job| {
            while built < MOST_PARTS {
                if !job.go_on(cx)? {
                    finished += 1;
                    break;
                }
                built += 1;
            }
            Ok(())
        });
        survive(cx, worked);
        if built > before {
            turn.again(cx)?;
        }
    }
    Ok(chain::Part {
        done: built + mailed,
        // What failed has no turn now, so this comes to an end.
        more: mails == MOST_MAILS || jobs == MOST_PARTS || built == MOST_PARTS || finished > 0,
    })
}

/// Whether it went well; what did not is logged.
fn survive(cx: &Context, worked: Result<(), Problem>) -> bool {
    let Err(problem) = worked else { return true };
    problem.log(cx);
    false
}

impl Job {
    fn from_row(cx: &Context, row: &Row) -> Result<Self, Problem> {
        let person_key_id = row.get("person_key_id")?;
        Ok(Self {
            id: row.get("id")?,
            person: Person {
                account_id: row.get("account_id")?,
                key: PersonKey::load(cx, person_key_id)?,
            },
            email: row.get("email")?,
            step: row.get("step")?,
            parts: row.get("parts")?,
            created_at: row.get("created_at")?,
        })
    }

    /// One step; whether it is still being built then.
    fn go_on(&mut self, cx: &Context) -> Result<bool, Problem> {
        // A table that is gone since the last step: from the first on, once more.
        let step = Step::parse(&self.step).unwrap_or_else(Step::first);
        let part = match &step {
            Step::Rows(table, after) => self.rows(cx, table, after)?,
            Step::Files(after) => match self.file(cx, *after)? {
                Ok(part) => part,
                Err(next) => return self.skip(cx, &next),
            },
            Step::Links(after) => match self.links(cx, *after)? {
                Some(part) => part,
                None => return self.skip(cx, &Step::Mail),
            },
            Step::Mail => {
                self.make_token(cx)?;
                return Ok(false);
            }
        };
        self.store(cx, &part)?;
        self.stand(cx)
    }

    /// A page of a table, one JSON object a line.
    fn rows(&self, cx: &Context, table: &'static str, after: &str) -> Result<Part, Problem> {
        let mut tables = tables();
        let holding: &Holding = tables
            .find(|holding| holding.name == table)
            .ok_or_else(Problem::internal)?;
        let page = holdings::page(cx, &self.person, holding, after, ROWS)?;
        let name = format!("data/{table}.jsonl");
        if !page.unreadable.is_empty() {
            self.give_up(cx, &name, Problem::from(Broken))?;
        }
        let unreadable = page.unreadable.into_iter();
        let mut content = Vec::new();
        for row in &page.rows {
            serde_json::to_writer(&mut content, row).map_err(|_| Problem::internal())?;
            content.push(b'\n');
        }
        Ok(Part {
            missing: unreadable
                .map(|value| Missing::value(&name, value))
                .collect(),
            name: Some(name),
            content,
            next: match page.more {
                Some(last) => Step::Rows(table, last),
                None => Step::after_table(table),
            },
        })
    }

    /// The bytes of the next file, or where to go on if there is none.
    fn file(&self, cx: &Context, after: Option<Uuid>) -> Result<Result<Part, Step>, Problem> {
        let mut ids = self.uploads(cx, &FILE, after, 1)?;
        let Some((id, content_type)) = ids.pop() else {
            return Ok(Err(Step::Links(None)));
        };
        let suffix = content_type.rsplit('/').next().unwrap_or_default();
        let name = format!("uploads/{id}.{suffix}");
        let next = Step::Files(Some(id));
        Ok(match content(id) {
            Ok(Some(content)) => Ok(Part {
                name: Some(name),
                content,
                missing: Vec::new(),
                next,
            }),
            // It went meanwhile.
            Ok(None) => Err(next),
            Err(problem) => {
                self.give_up(cx, &name, problem)?;
                Ok(Part {
                    missing: vec![Missing::file(name)],
                    name: None,
                    content: Vec::new(),
                    next,
                })
            }
        })
    }

    /// Gives up what cannot be read of a file of the archive; people look after that.
    ///
    /// # Errors
    /// It is to be tried again.
    fn give_up(&self, cx: &Context, file: &str, problem: Problem) -> Result<(), Problem> {
        if cx.now() < self.created_at.plus(PATIENCE) {
            return Err(problem);
        }
        let fields = [
            ("export", self.id.to_string().into()),
            ("file", file.into()),
        ];
        cx.log(Level::Alarm, "export-incomplete", &fields);
        Ok(())
    }

    /// Links to the next files, which live as long as the export can.
    fn links(&self, cx: &Context, after: Option<Uuid>) -> Result<Option<Part>, Problem> {
        #[derive(Deserialize)]
        struct Links {
            urls: Vec<String>,
        }
        let found = self.uploads(cx, &ELSEWHERE, after, LINKS)?;
        let Some((last, _)) = found.last() else {
            return Ok(None);
        };
        let ids: Vec<_> = found.iter().map(|(id, _)| id).collect();
        let expires_at = self.created_at.plus(BUILT_WITHIN).plus(LIFETIME);
        let question = json!({ "ids": ids, "expires_at": expires_at.as_millis() });
        let Links { urls } =
            chain::ask("uploads", "/internal/links", &question).map_err(unanswered)?;
        let mut content = String::new();
        for (id, url) in ids.iter().zip(&urls) {
            let line = json!({ "id": id, "url": url, "expires_at": expires_at });
            content += &format!("{line}\n");
        }
        Ok(Some(Part {
            name: Some("uploads/links.jsonl".to_owned()),
            content: content.into_bytes(),
            missing: Vec::new(),
            next: Step::Links(Some(*last)),
        }))
    }

    fn uploads(
        &self,
        cx: &Context,
        statement: &shared::sql::Statement,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<(Uuid, String)>, Problem> {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let parameters = page_of(self.person.account_id, &after, limit);
        let rows = cx.sql()?.query(statement, &parameters)?;
        let uploads = rows.iter().map(|row| {
            // Only files of our own are named by their type.
            let content_type = row.get("content_type").unwrap_or_default();
            Ok::<_, SqlError>((row.get("id")?, content_type))
        });
        Ok(uploads.collect::<Result<_, _>>()?)
    }

    fn store(&self, cx: &Context, part: &Part) -> Result<(), Problem> {
        let context = part_context(self.id, self.parts);
        let sealed = self
            .person
            .key
            .seal(&context, &part.content, &mut random::host());
        let stored = cx.sql()?.execute(
            &STORE,
            &[
                Parameter::id(self.id),
                Parameter::Integer(self.parts),
                Parameter::text(part.name.as_deref().unwrap_or_default()),
                Parameter::blob(sealed),
                Parameter::optional(missing::lines(&part.missing).map(Parameter::text)),
                Parameter::text(part.next.to_string()),
            ],
        );
        match stored {
            // The account went while its copy was made.
            Err(SqlError::Constraint(_)) => return Ok(()),
            stored => stored?,
        }
        let parameters = [Parameter::id(self.id), Parameter::Integer(self.parts)];
        Ok(cx.sql()?.execute(&ADVANCE, &parameters)?)
    }

    fn skip(&mut self, cx: &Context, to: &Step) -> Result<bool, Problem> {
        let parameters = [
            Parameter::text(to.to_string()),
            Parameter::id(self.id),
            Parameter::text(self.step.as_str()),
        ];
        cx.sql()?.execute(&SKIP, &parameters)?;
        self.stand(cx)
    }

    /// Looks where the export stands now, which somebody else may have moved; whether it is still being built.
    fn stand(&mut self, cx: &Context) -> Result<bool, Problem> {
        let row = cx.sql()?.first(&STANDING, &[Parameter::id(self.id)])?;
        let Some(row) = row else { return Ok(false) };
        self.step = row.get("step")?;
        self.parts = row.get("parts")?;
        Ok(true)
    }

    fn make_token(&self, cx: &Context) -> Result<(), Problem> {
        let token = Token::generate(&mut random::host());
        let text = token.to_text();
        let context = token_context(self.id);
        let sealed = self
            .person
            .key
            .seal(&context, text.as_bytes(), &mut random::host());
        let parameters = [
            Parameter::text(URL_SAFE_NO_PAD.encode(sealed)),
            Parameter::blob(token.hash()),
            Parameter::time(cx.now()),
            Parameter::id(self.id),
        ];
        Ok(cx.sql()?.execute(&MAIL, &parameters)?)
    }

    /// Mails the link. It opens the archive from then on, whether or not the answer arrives.
    fn mail(&self, cx: &Context) -> Result<(), Problem> {
        let open = |context: &str, sealed: &[u8]| {
            let opened = self.person.key.open(context, sealed)?;
            String::from_utf8(opened).map_err(|_| Problem::internal())
        };
        let sealed = URL_SAFE_NO_PAD.decode(&self.step);
        let token = open(
            &token_context(self.id),
            &sealed.map_err(|_| Problem::internal())?,
        )?;
        let base = variables::required("public_base_url")?;
        let mail = Mail {
            to: &open(&email_context(self.id), &self.email)?,
            link: &format!(
                "{}/v1/exports/{}?token={token}",
                base.trim_end_matches('/'),
                self.id
            ),
            export_id: self.id,
            created_at: self.created_at,
            account_id: self.person.account_id,
        };
        let (id, email) = (Parameter::id(self.id), Parameter::blob(&self.email));
        let expires_at = Parameter::time(cx.now().plus(LIFETIME));
        match mail::send(cx, &mail) {
            Ok(()) => {
                let parameters = [Parameter::time(cx.now()), expires_at, id, email];
                cx.sql()?.execute(&READY, &parameters)?;
            }
            Err(NotSent::Address) => cx.sql()?.execute(&FAIL, &[expires_at, id, email])?,
            Err(NotSent::Problem(problem)) => return Err(problem),
        }
        Ok(())
    }
}

/// What a part is bound to.
pub fn part_context(export_id: Uuid, ordinal: i64) -> String {
    format!("export_parts.content:{export_id}:{ordinal}")
}

fn token_context(export_id: Uuid) -> String {
    format!("exports.step:{export_id}")
}

/// The bytes of a file that the service keeps itself; `None` if it is gone.
fn content(upload_id: Uuid) -> Result<Option<Vec<u8>>, Problem> {
    #[derive(Deserialize)]
    struct Content {
        /// In base64.
        content: Option<String>,
    }
    let question = json!({ "id": upload_id });
    let Content { content } =
        chain::ask("uploads", "/internal/content", &question).map_err(unanswered)?;
    let content = content.map(|content| STANDARD.decode(content)).transpose();
    content.map_err(|_| Problem::internal())
}

fn unanswered(Unanswered: Unanswered) -> Problem {
    Problem::unavailable().because(Level::Error, "uploads did not answer")
}
