//! `/v1/account/exports`: asking for a copy, its building, its mail, its download (clause R6).

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::thread;

use api_tests::{Answer, App, Builder, Cell, DAY, HOUR, MINUTE, Person, on_both_engines};
use provider_stand_ins::aliyun_mail::{AliyunMail, Behaviour, SENDER};
use serde_json::{Value, json};
use shared::data_map::TABLES;

use crate::everything::{EMPTY, agree, copied, plant, rows};
use crate::payment::open;
use crate::pictures::png;
use crate::uploads_oss;

const KEY_ID: &str = "LTAI-test-key-id";
const SECRET: &str = "test-secret-with+sign/and=more";
pub const EMAIL: &str = "xiaoming@example.cn";

/// An application whose exports go on when a test says so.
pub fn building(builder: Builder) -> Builder {
    builder.with_internal("/internal/exports", "rights")
}

fn with_mail(builder: Builder, mail: &AliyunMail) -> Builder {
    building(builder)
        .variable("mail_provider", "aliyun")
        .variable("aliyun_mail_endpoint", mail.url())
        .variable("aliyun_mail_account", SENDER)
        .variable("aliyun_access_key_id", KEY_ID)
        .variable("aliyun_access_key_secret", SECRET)
}

pub fn ask(app: &App, person: &Person) -> Answer {
    app.request("POST", "/v1/account/exports")
        .token(&person.token)
        .json(&json!({ "email": EMAIL }))
}

/// One call of who calls for the work that is due.
pub fn go_on(app: &App) -> Answer {
    let call = app.request("POST", "/internal/exports");
    call.body("application/json", "{}")
        .send_unchecked()
        .expect(200)
}

/// All of it.
pub fn build(app: &App) {
    for _ in 0..100 {
        if go_on(app).json["more"] == false {
            return;
        }
    }
    panic!("it never ends");
}

pub fn read(app: &App, person: &Person, id: &str) -> Value {
    let path = format!("/v1/account/exports/{id}");
    app.get(&path, &person.token).expect(200).json
}

/// The link that was mailed, where mails go to the log.
pub fn link(app: &App, id: &str) -> String {
    let event = app.log().event_with("export-ready", "export", id);
    event["link"].as_str().expect("a link").to_owned()
}

/// The files of an archive.
pub fn unzip(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = zip::ZipArchive::new(Cursor::new(archive)).expect("a zip");
    let mut files = BTreeMap::new();
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).expect("a file");
        let name = file.name().expect("UTF-8").into_owned();
        let mut content = Vec::new();
        file.read_to_end(&mut content)
            .expect("its checksum is right");
        assert!(!files.contains_key(&name), "{name}");
        files.insert(name, content);
    }
    files
}

/// The files of a person's newest copy.
pub fn copy(app: &App, person: &Person) -> BTreeMap<String, Vec<u8>> {
    let id = ask(app, person).expect(202).text("/id");
    build(app);
    assert_eq!(read(app, person, &id)["status"], "ready");
    unzip(&app.open_link(&link(app, &id)).expect(200).body)
}

fn lines(file: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(file).expect("UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// The link in a mail.
fn mailed(mail: &BTreeMap<String, String>) -> String {
    let text = &mail["TextBody"];
    let start = text.find("http").expect("a link");
    text[start..].lines().next().expect("a line").to_owned()
}

on_both_engines! {
    // clause R6
    fn the_copy_is_complete_against_the_data_map(builder: Builder) {
        let shop = open(building(builder));
        let planted = plant(&shop);
        let files = copy(&shop.app, &planted.person);
        for table in copied() {
            let stored = rows(&shop, &planted.person, table);
            // Every column that a copy has holds something.
            for column in table.copied() {
                let name = format!("{}.{}", table.name, column.name);
                let is_empty = stored.iter().all(|row| row.get(column.name) == Some(&Value::Null));
                assert_eq!(is_empty, EMPTY.contains(&name.as_str()), "{name}");
            }
            let listed = lines(&files[&format!("data/{}.jsonl", table.name)]);
            // The copy is older than its own link.
            if table.name != "exports" {
                agree(table, &stored, &listed);
            }
            assert_eq!(listed.len(), stored.len(), "{}", table.name);
        }
        let all: Vec<u8> = files.values().flatten().copied().collect();
        let all = String::from_utf8_lossy(&all);
        for sealed in planted.sealed.iter().map(String::as_str).chain([EMAIL, api_tests::REAL_NAME]) {
            assert!(all.contains(sealed), "{sealed}");
        }
        let avatar = &files[&format!("uploads/{}.png", planted.avatar_id)];
        assert!(crate::uploads::holds(avatar, planted.avatar));
        assert_eq!(files.keys().filter(|name| name.starts_with("uploads/")).count(), 3);
    }

    // clause R6
    fn nothing_that_is_left_out_is_in_it(builder: Builder) {
        let shop = open(building(builder));
        let planted = plant(&shop);
        let files = copy(&shop.app, &planted.person);
        let all: Vec<u8> = files.values().flatten().copied().collect();
        let all = String::from_utf8_lossy(&all);
        for table in TABLES {
            let included: Vec<_> = table.copied().map(|column| column.name).collect();
            for column in table.columns.iter().filter(|column| !included.contains(&column.name)) {
                let statement = format!("SELECT {} FROM {}", column.name, table.name);
                for cell in shop.app.database().rows(&statement).iter().flatten() {
                    let text = match cell {
                        Cell::Blob(bytes) => shared::crypto::hex(bytes),
                        Cell::Text(text) if text.len() > 40 => text.clone(),
                        _ => continue,
                    };
                    assert!(!all.contains(&text), "{statement}: {text}");
                }
            }
        }
        assert!(!all.contains("planted-password"));
    }

    // clause R6
    fn machines_and_people_are_told_what_is_in_it(builder: Builder) {
        let app = building(builder).start();
        let files = copy(&app, &app.someone());
        let schema: Value = serde_json::from_slice(&files["schema.json"]).expect("JSON");
        for table in schema["tables"].as_array().expect("tables") {
            let file = table["file"].as_str().expect("a name");
            let columns = table["columns"].as_array().expect("columns");
            for row in lines(&files[file]) {
                let members: Vec<_> = row.as_object().expect("an object").keys().collect();
                assert_eq!(members.len(), columns.len(), "{file}");
                assert!(members.iter().all(|member| columns.contains(&json!(member))), "{file}");
            }
        }
        let page = String::from_utf8(files["index.html"].clone()).expect("UTF-8");
        for file in files.keys().filter(|name| name.starts_with("data/")) {
            assert!(page.contains(&format!("href=\"{file}\"")), "{file}");
        }
    }

    // clause R6
    fn it_is_the_owners_alone(builder: Builder) {
        let app = building(builder).start();
        let (person, other) = (app.someone(), app.someone());
        let (mine, theirs) = (ask(&app, &person).text("/id"), ask(&app, &other).text("/id"));
        build(&app);
        app.get(&format!("/v1/account/exports/{theirs}"), &person.token).expect_problem(404, "not-found");
        let listed = app.get("/v1/account/exports", &person.token).expect(200);
        assert_eq!(listed.json["items"].as_array().expect("items").len(), 1);
        let token = |id: &str| link(&app, id).split_once("token=").expect("a token").1.to_owned();
        let open = |id: &str, token: &str| {
            app.request("GET", &format!("/v1/exports/{id}/archive?token={token}")).send()
        };
        open(&theirs, &token(&mine)).expect_problem(404, "not-found");
        open(&mine, &token(&theirs)).expect_problem(404, "not-found");
        for wrong in ["", "x", &"A".repeat(43)] {
            open(&mine, wrong).expect_problem(404, "not-found");
        }
        app.request("GET", &format!("/v1/exports/{mine}/archive")).send().expect_problem(404, "not-found");
        let files = unzip(&open(&mine, &token(&mine)).expect(200).body);
        let all: Vec<u8> = files.values().flatten().copied().collect();
        let all = String::from_utf8_lossy(&all);
        assert!(all.contains(&person.account_id) && all.contains(&person.phone));
        assert!(!all.contains(&other.account_id) && !all.contains(&other.phone));
        for path in ["/v1/account/exports", &format!("/v1/account/exports/{mine}")] {
            app.request("GET", path).send().expect_problem(401, "unauthenticated");
        }
        app.post("/v1/account/exports", &json!({ "email": EMAIL })).expect_problem(401, "unauthenticated");
    }

    // clause R6
    [stand_in] fn a_link_is_used_once(builder: Builder) {
        let app = building(builder).start();
        app.clock().stop();
        let person = app.someone();
        let id = ask(&app, &person).expect(202).text("/id");
        build(&app);
        let link = link(&app, &id);
        let first = app.open_link(&link).expect(200);
        assert_eq!(first.header("content-disposition"), Some("attachment; filename=\"chuangrenmai-data.zip\""));
        assert!(read(&app, &person, &id)["downloaded_at"].is_string());
        // A download that broke off can be done again, for a while.
        app.clock().advance(9 * MINUTE);
        assert_eq!(app.open_link(&link).expect(200).body, first.body);
        app.clock().advance(2 * MINUTE);
        app.open_link(&link).expect_problem(410, "export-downloaded");
    }

    // clause R6
    [stand_in] fn a_link_lives_a_day(builder: Builder) {
        let app = building(builder).start();
        app.clock().stop();
        let person = app.someone();
        let early = ask(&app, &person).expect(202).text("/id");
        build(&app);
        app.clock().advance(HOUR);
        let late = ask(&app, &person).expect(202).text("/id");
        assert_ne!(early, late);
        build(&app);
        app.clock().advance(DAY - MINUTE);
        app.open_link(&link(&app, &early)).expect_problem(410, "export-expired");
        app.open_link(&link(&app, &late)).expect(200);
    }

    // clause R6
    fn one_is_under_way_at_a_time_and_the_newest_address_counts(builder: Builder) {
        let mail = AliyunMail::start(KEY_ID, SECRET);
        let app = with_mail(builder, &mail).start();
        let person = app.someone();
        let to = |email: &str| app.request("POST", "/v1/account/exports").token(&person.token)
            .json(&json!({ "email": email })).expect(202).text("/id");
        let first = to("wrong@example.cn");
        assert_eq!(to("right@example.cn"), first);
        build(&app);
        let mails = mail.mails();
        assert_eq!(mails.len(), 1, "{:?}", mail.refusals());
        assert_eq!(mails[0]["ToAddress"], "right@example.cn");
        assert_ne!(to("right@example.cn"), first);
    }

    // clause R6
    fn at_once_two_requests_begin_one(builder: Builder) {
        let app = building(builder).start();
        let person = app.someone();
        let ids: Vec<_> = thread::scope(|scope| {
            let ask = || ask(&app, &person).expect(202).text("/id");
            let threads: Vec<_> = (0..3).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().expect("an answer")).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(app.database().count("SELECT COUNT(*) FROM exports"), 1);
    }

    // clause R6
    fn building_at_once_loses_and_doubles_nothing(builder: Builder) {
        let app = building(builder).start();
        let person = app.someone();
        let rows: Vec<_> = (0..1200).map(|nth| format!(
            "('0198c5a0-0000-7000-8000-{nth:012}', '{}', 'location', '2026-11-23', 1, {nth})", person.account_id
        )).collect();
        app.database().insert("consent_events", &rows);
        let id = ask(&app, &person).expect(202).text("/id");
        thread::scope(|scope| for _ in 0..3 { scope.spawn(|| build(&app)); });
        build(&app);
        let files = unzip(&app.open_link(&link(&app, &id)).expect(200).body);
        let mut times: Vec<_> = lines(&files["data/consent_events.jsonl"]).iter()
            .map(|row| row["happened_at"].to_string()).collect();
        times.sort();
        times.dedup();
        assert_eq!(times.len(), 1200);
        assert_eq!(lines(&files["data/consent_events.jsonl"]).len(), 1200);
    }

    // clause R6
    fn there_is_a_limit_a_day(builder: Builder) {
        let app = building(builder).variable("exports_per_day", "2").start();
        let person = app.someone();
        for _ in 0..2 {
            ask(&app, &person).expect(202);
            // Asked for again while it is under way, it counts once.
            ask(&app, &person).expect(202);
            build(&app);
        }
        ask(&app, &person).expect_problem(429, "rate-limited");
        ask(&app, &app.someone()).expect(202);
    }

    fn only_one_address_is_taken(app: App) {
        let person = app.someone();
        let post = |body: Value| app.request("POST", "/v1/account/exports").token(&person.token).json(&body);
        for email in ["", "a", "a@b", "a@b.cn,c@d.cn", "a@b.cn\nBcc: c@d.cn", "<a@b.cn>"] {
            post(json!({ "email": email })).expect_violations(&["email:invalid"]);
        }
        post(json!({})).expect(422);
        post(json!({ "email": EMAIL, "to": EMAIL })).expect(422);
        assert_eq!(app.database().count("SELECT COUNT(*) FROM exports"), 0);
    }

    // clause R6, C1
    fn what_it_consists_of_is_sealed(builder: Builder) {
        let shop = open(building(builder));
        let planted = plant(&shop);
        let id = ask(&shop.app, &planted.person).expect(202).text("/id");
        build(&shop.app);
        let token = link(&shop.app, &id).split_once("token=").expect("a token").1.to_owned();
        for statement in ["SELECT content, name FROM export_parts", "SELECT email, step, token_hash FROM exports"] {
            for cell in shop.app.database().rows(statement).iter().flatten() {
                let text = cell.to_string();
                assert!(!text.contains("planted") && !text.contains(EMAIL) && !text.contains(&token), "{statement}");
            }
        }
    }

    // clause R6, T3
    fn the_link_is_mailed_and_that_is_on_record(builder: Builder) {
        let mail = AliyunMail::start(KEY_ID, SECRET);
        let app = with_mail(builder, &mail).start();
        let person = app.someone();
        let id = ask(&app, &person).expect(202).text("/id");
        build(&app);
        let mails = mail.mails();
        let [sent] = &mails[..] else { panic!("{mails:?} {:?}", mail.refusals()) };
        assert_eq!((sent["ToAddress"].as_str(), sent["AccountName"].as_str()), (EMAIL, SENDER));
        assert_eq!(sent["ClickTrace"], "0");
        unzip(&app.open_link(&mailed(sent)).expect(200).body);
        assert!(app.log().events("export-ready").is_empty(), "the link is for the person alone");
        let told = app.get("/v1/account/disclosures", &person.token).expect(200);
        let item = &told.json["items"][0];
        assert_eq!((&item["recipient"], &item["data"]), (&json!("aliyun-mail"), &json!(["e-mail address"])));
        assert_eq!(item["reference"], json!(id));
    }

    // clause R6
    fn a_provider_that_is_away_or_lies_loses_nothing(builder: Builder) {
        let mail = AliyunMail::start(KEY_ID, SECRET);
        let app = with_mail(builder, &mail).start();
        let person = app.someone();
        let id = ask(&app, &person).expect(202).text("/id");
        let nonsense = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec();
        for behaviour in [
            Behaviour::Close,
            Behaviour::Refuse(503, "ServiceUnavailable"),
            Behaviour::Refuse(400, "InvalidMailAddress.NotFound"),
            Behaviour::Raw(nonsense),
            Behaviour::Raw(b"nonsense".to_vec()),
        ] {
            mail.plan(behaviour);
            build(&app);
            assert_eq!(read(&app, &person, &id)["status"], "mailing");
        }
        assert!(mail.mails().is_empty());
        build(&app);
        assert_eq!(read(&app, &person, &id)["status"], "ready");
        app.open_link(&mailed(&mail.mails()[0])).expect(200);
        build(&app);
        assert_eq!(mail.mails().len(), 1);
    }

    // clause R6
    fn a_mail_whose_answer_was_lost_has_the_same_link(builder: Builder) {
        let mail = AliyunMail::start(KEY_ID, SECRET);
        let app = with_mail(builder, &mail).start();
        let person = app.someone();
        let id = ask(&app, &person).expect(202).text("/id");
        mail.plan(Behaviour::Hang);
        build(&app);
        // It is there, and opens the archive.
        app.open_link(&mailed(&mail.mails()[0])).expect(200);
        build(&app);
        assert_eq!(read(&app, &person, &id)["status"], "ready");
        let mails = mail.mails();
        assert_eq!(mailed(&mails[0]), mailed(&mails[1]));
    }

    // clause R6
    fn an_address_that_takes_no_mail_ends_it(builder: Builder) {
        let mail = AliyunMail::start(KEY_ID, SECRET);
        let app = with_mail(builder, &mail).start();
        let person = app.someone();
        let id = ask(&app, &person).expect(202).text("/id");
        mail.plan(Behaviour::Refuse(400, "InvalidToAddress"));
        build(&app);
        assert_eq!(read(&app, &person, &id)["status"], "failed");
        assert_ne!(ask(&app, &person).expect(202).text("/id"), id);
    }

    // clause T5
    fn without_an_agreement_no_mail_leaves(builder: Builder) {
        let mail = AliyunMail::start(KEY_ID, SECRET);
        let app = with_mail(builder, &mail).variable("recipient_agreements", "").start();
        let person = app.someone();
        let id = ask(&app, &person).expect(202).text("/id");
        build(&app);
        assert_eq!(read(&app, &person, &id)["status"], "mailing");
        assert!(mail.mails().is_empty() && mail.refusals().is_empty());
    }

    // clause R6
    fn files_in_the_object_store_are_links(builder: Builder) {
        let (app, _oss) = uploads_oss::start(building(builder));
        let person = app.someone();
        let picture = png("in the bucket");
        let form = crate::uploads::form(&app, &person, "image", "image/png", picture.len());
        assert_eq!(uploads_oss::send(&form, &picture), 204);
        app.complete_upload(&person, &form.id).expect(200);
        let files = copy(&app, &person);
        let links = lines(&files["uploads/links.jsonl"]);
        assert_eq!(links.len(), 1);
        assert_eq!(links[0]["id"], json!(form.id));
        let (status, bytes) = uploads_oss::read(links[0]["url"].as_str().expect("a link"));
        assert_eq!(status, 200);
        assert!(crate::uploads::holds(&bytes, "in the bucket"));
    }

    // clause L5, R6
    fn copies_go_with_their_account(builder: Builder) {
        let app = building(builder).start();
        let person = app.someone();
        ask(&app, &person).expect(202);
        build(&app);
        assert!(app.database().count("SELECT COUNT(*) FROM export_parts") > 15);
        app.database().rows(&format!("DELETE FROM accounts WHERE id = '{}' RETURNING id", person.account_id));
        for table in ["exports", "export_parts"] {
            assert_eq!(app.database().count(&format!("SELECT COUNT(*) FROM {table}")), 0);
        }
    }
}
