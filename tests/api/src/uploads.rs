//! Sending files by the forms that the application gives out.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::app::App;
use crate::people::Person;

const BOUNDARY: &str = "----boundary-of-the-tests";

/// A signed form, to be sent as it is or changed first.
#[derive(Clone, Debug)]
pub struct UploadForm {
    /// The upload.
    pub id: String,
    /// Where it is sent.
    pub url: String,
    /// The fields before the file.
    pub fields: Vec<(String, String)>,
}

impl UploadForm {
    /// Reads the answer that gives it out.
    pub fn of(answer: &Answer) -> Self {
        let fields = answer.json["fields"].as_object().expect("fields");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        Self {
            id: answer.text("/id"),
            url: answer.text("/url"),
            fields: fields
                .iter()
                .map(|(name, value)| (name.clone(), text(value)))
                .collect(),
        }
    }

    /// With one field changed, or added.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(field, _)| field != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without a field.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(field, _)| field != name);
        self
    }

    /// The form's media type and body, with the file last.
    pub fn body(&self, file: &[u8]) -> (String, Vec<u8>) {
        let mut body = Vec::new();
        for (name, value) in &self.fields {
            body.extend(
                format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                    .into_bytes(),
            );
        }
        body.extend(
            format!(
                "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"f\"\r\n\
                 content-type: application/octet-stream\r\n\r\n"
            )
            .into_bytes(),
        );
        body.extend_from_slice(file);
        body.extend(format!("\r\n--{BOUNDARY}--\r\n").into_bytes());
        (format!("multipart/form-data; boundary={BOUNDARY}"), body)
    }
}

impl App {
    /// Asks for a form.
    pub fn ask_for_form(
        &self,
        person: &Person,
        kind: &str,
        content_type: &str,
        size: usize,
    ) -> Answer {
        self.request("POST", "/v1/uploads")
            .token(&person.token)
            .json(&json!({ "kind": kind, "content_type": content_type, "size": size }))
    }

    /// Sends a form to the application itself.
    pub fn send_form(&self, form: &UploadForm, file: &[u8]) -> Answer {
        let (media_type, body) = form.body(file);
        self.request("POST", &format!("/v1/uploads/{}/form", form.id))
            .body(&media_type, body)
            .send()
    }

    /// Has an upload checked.
    pub fn complete_upload(&self, person: &Person, id: &str) -> Answer {
        self.request("POST", &format!("/v1/uploads/{id}/complete"))
            .token(&person.token)
            .send()
    }

    /// A completed upload that the application keeps itself; its identifier.
    pub fn upload(&self, person: &Person, kind: &str, content_type: &str, file: &[u8]) -> String {
        let answer = self.ask_for_form(person, kind, content_type, file.len());
        let form = UploadForm::of(&answer.expect(201));
        self.send_form(&form, file).expect(204);
        self.complete_upload(person, &form.id).expect(200);
        form.id
    }

    /// What a link of the application's own shows: the link's URL begins with the public address, which
    /// leads nowhere in a test.
    pub fn open_link(&self, url: &str) -> Answer {
        let path = url.splitn(4, '/').nth(3).expect("a path");
        self.request("GET", &format!("/{path}")).send()
    }
}
