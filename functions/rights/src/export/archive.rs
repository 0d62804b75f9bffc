//! The archive, made while it is downloaded: part after part is read, opened, compressed and sent, so that its size
//! needs no memory.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::Duration;

use shared::crypto::PersonKey;
use shared::http::{Context, Problem};
use shared::session::Token;
use shared::sql::{Parameter, Sql, statements};
use shared::time::Timestamp;
use uuid::Uuid;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use super::building::part_context;
use super::{guide, missing};
use crate::error::Error;

/// How long after its first use a link can be used again: for a download that broke off, and for nothing else.
const AGAIN_WITHIN: Duration = Duration::from_secs(10 * 60);

statements! {
    /// Uses a link, if it can still be used.
    USE = "UPDATE exports SET downloaded_at = COALESCE(downloaded_at, CAST($1 AS BIGINT)) \
           WHERE id = $2 AND token_hash = $3 AND status IN ('mailing', 'ready') AND expires_at > $1 \
             AND (downloaded_at IS NULL OR downloaded_at > $4) \
           RETURNING parts, (SELECT a.person_key_id FROM accounts a WHERE a.id = exports.account_id) \
             AS person_key_id";
    /// What became of it.
    LOOK = "SELECT expires_at, downloaded_at FROM exports WHERE id = $1 AND token_hash = $2";
    /// One part.
    PART = "SELECT name, content FROM export_parts WHERE export_id = $1 AND ordinal = $2";
    /// What could not be read for any of them.
    MISSING = "SELECT missing FROM export_parts \
               WHERE export_id = $1 AND missing IS NOT NULL ORDER BY ordinal";
}

/// The bytes of an archive, some at a time.
pub struct Archive {
    export_id: Uuid,
    parts: i64,
    key: PersonKey,
    made_at: Timestamp,
    state: State,
    sql: Option<Sql>,
    zip: Option<ZipWriter<StreamWriter<Buffer>>>,
    buffer: Buffer,
    /// The file that the last part belongs to.
    file: String,
}

enum State {
    Guide,
    Part(i64),
    Over,
}

impl Archive {
    /// The archive that the link with this token leads to; the link is used by that.
    ///
    /// # Errors
    /// [`Error::Expired`], [`Error::Downloaded`], 404, or a store failed.
    pub fn open(cx: &Context, export_id: Uuid, token: &Token) -> Result<Self, Error> {
        let row = cx.sql()?.first(
            &USE,
            &[
                Parameter::time(cx.now()),
                Parameter::id(export_id),
                Parameter::blob(token.hash()),
                Parameter::time(cx.now().minus(AGAIN_WITHIN)),
            ],
        )?;
        let Some(row) = row else {
            look(cx, export_id, token)?;
            // Used up just now.
            return Err(Error::Downloaded);
        };
        let buffer = Buffer::default();
        Ok(Self {
            export_id,
            parts: row.get("parts")?,
            key: PersonKey::load(cx, row.get("person_key_id")?)?,
            made_at: cx.now(),
            state: State::Guide,
            sql: None,
            zip: Some(ZipWriter::new_stream(buffer.clone())),
            buffer,
            file: String::new(),
        })
    }

    fn go_on(&mut self) -> Result<(), Problem> {
        match self.state {
            State::Guide => {
                let missing = self.missing()?;
                let page = guide::page(self.made_at, missing.lines().count());
                self.add("index.html", page.as_bytes())?;
                self.add("schema.json", guide::schema().to_string().as_bytes())?;
                self.add(missing::NAME, missing.as_bytes())?;
                self.state = State::Part(0);
            }
            State::Part(ordinal) if ordinal < self.parts => {
                let (name, content) = self.part(ordinal)?;
                // A part of no file stands for one that is missing.
                if !name.is_empty() {
                    self.add(&name, &content)?;
                }
                self.state = State::Part(ordinal + 1);
            }
            State::Part(_) => {
                let zip = self.zip.take().ok_or_else(Problem::internal)?;
                zip.finish().map_err(|_| Problem::internal())?;
                self.state = State::Over;
            }
            State::Over => {}
        }
        Ok(())
    }

    fn sql(&mut self) -> Result<&Sql, Problem> {
        Ok(match &mut self.sql {
            Some(sql) => sql,
            none => none.insert(Sql::open()?),
        })
    }

    fn missing(&mut self) -> Result<String, Problem> {
        let parameters = [Parameter::id(self.export_id)];
        let rows = self.sql()?.query(&MISSING, &parameters)?;
        let lines = rows.iter().map(|row| row.get::<String>("missing"));
        Ok(lines.collect::<Result<_, _>>()?)
    }

    fn part(&mut self, ordinal: i64) -> Result<(String, Vec<u8>), Problem> {
        let parameters = [Parameter::id(self.export_id), Parameter::Integer(ordinal)];
        let row = self.sql()?.first(&PART, &parameters)?;
        let row = row.ok_or_else(Problem::internal)?;
        let sealed: Vec<u8> = row.get("content")?;
        let context = part_context(self.export_id, ordinal);
        Ok((row.get("name")?, self.key.open(&context, &sealed)?))
    }

    /// Writes to a file of the archive: on with the last one, if it has that name.
    fn add(&mut self, name: &str, content: &[u8]) -> Result<(), Problem> {
        let zip = self.zip.as_mut().ok_or_else(Problem::internal)?;
        if self.file != name {
            let options =
                SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
            zip.start_file(name, options)
                .map_err(|_| Problem::internal())?;
            name.clone_into(&mut self.file);
        }
        zip.write_all(content).map_err(|_| Problem::internal())
    }
}

/// Whether a link can still be used; it is not used by that.
///
/// # Errors
/// As [`Archive::open`].
pub fn look(cx: &Context, export_id: Uuid, token: &Token) -> Result<(), Error> {
    let parameters = [Parameter::id(export_id), Parameter::blob(token.hash())];
    let row = cx.sql()?.first(&LOOK, &parameters)?;
    let row = row.ok_or_else(Problem::not_found)?;
    let downloaded_at: Option<Timestamp> = row.get("downloaded_at")?;
    if row.get::<Timestamp>("expires_at")? <= cx.now() {
        Err(Error::Expired)
    } else if downloaded_at.is_some_and(|at| at <= cx.now().minus(AGAIN_WITHIN)) {
        Err(Error::Downloaded)
    } else {
        Ok(())
    }
}

impl Iterator for Archive {
    type Item = Result<Vec<u8>, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let bytes = self.buffer.take();
            if !bytes.is_empty() {
                return Some(Ok(bytes));
            }
            if matches!(self.state, State::Over) {
                return None;
            }
            if let Err(problem) = self.go_on() {
                self.state = State::Over;
                return Some(Err(problem));
            }
        }
    }
}

/// What was compressed and not sent yet.
#[derive(Clone, Default)]
struct Buffer(Rc<RefCell<Vec<u8>>>);

impl Buffer {
    fn take(&self) -> Vec<u8> {
        self.0.take()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
