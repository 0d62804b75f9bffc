//! `/v1/account/exports`: asking for a copy, its building, its mail, its download (clause R6).

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::thread;
use std::time::Duration;

use api_tests::{Answer, App, Builder, Cell, DAY, HOUR, MINUTE, Person, Request, on_both_engines};
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
    ask_to(app, person, EMAIL)
}

fn ask_to(app: &App, person: &Person, email: &str) -> Answer {
    app.request("POST", "/v1/account/exports")
        .token(&person.token)
        .json(&json!({ "email": email }))
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

/// Opens a link and presses the page's button, as a person does.
pub fn download(app: &App, link: &str) -> Answer {
    let page = app.open_link(link);
    if page.status != 200 {
        return page;
    }
    let page = std::str::from_utf8(&page.body).expect("UTF-8").to_owned();
    let value = |name: &str| {
        let (_, rest) = page.split_once(&format!("{name}=\"")).expect("it is there");
        rest.split_once('"').expect("it ends").0.to_owned()
    };
    let (address, _) = link.split_once('?').expect("a query");
    let (folder, _) = address.rsplit_once('/').expect("a path");
    press(
        app,
        &format!("{folder}/{}", value("action")),
        &value("value"),
    )
}

/// Sends the page's form.
fn press(app: &App, address: &str, token: &str) -> Answer {
    let path = address.splitn(4, '/').nth(3).expect("a path");
    press_request(app, &format!("/{path}"), token).send()
}

/// The page's form, to be sent.
pub fn press_request<'a>(app: &'a App, path: &str, token: &str) -> Request<'a> {
    let form = app.request("POST", path);
    form.body(
        "application/x-www-form-urlencoded",
        format!("token={token}"),
    )
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
    unzip(&download(app, &link(app, &id)).expect(200).body)
}

fn lines(file: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(file).expect("UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// Addresses to which mails went.
fn addressees(mail: &AliyunMail) -> Vec<String> {
    let mails = mail.mails();
    mails.iter().map(|mail| mail["ToAddress"].clone()).collect()
}

/// How many records say that a person's address went to the provider.
fn disclosures(app: &App, person: &Person) -> usize {
    app.all_pages(person, "/v1/account/disclosures").len()
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

    // clause R1, R6, C1
    fn of_a_gift_neither_side_learns_the_others_pseudonym(builder: Builder) {
        let shop = open(building(builder));
        let planted = plant(&shop);
        let people = [&planted.person, &planted.other];
        let holder = |person: &Person| {
            let statement = format!("SELECT holder FROM wallets WHERE account_id = '{}'", person.account_id);
            shop.app.database().rows(&statement)[0][0].to_string()
        };
        let holders = people.map(holder);
        let gifts = "SELECT COUNT(*) FROM gifts";
        assert_eq!(shop.app.database().count(gifts), 2);
        for (nth, person) in people.into_iter().enumerate() {
            let (own, other) = (&holders[nth], &holders[1 - nth]);
            let held = shop.app.get("/v1/account/data", &person.token).expect(200);
            let files = copy(&shop.app, person);
            assert_eq!(lines(&files["data/gifts.jsonl"]).len(), 2);
            // The own entries, with which way the coins went.
            assert!(lines(&files["data/ledger.jsonl"]).len() >= 2);
            let copy: Vec<u8> = files.into_values().flatten().collect();
            for shown in [String::from_utf8_lossy(&held.body), String::from_utf8_lossy(&copy)] {
                assert!(shown.contains(own.as_str()) && !shown.contains(other.as_str()));
            }
        }
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
        assert!(files["missing.jsonl"].is_empty());
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
            press_request(&app, &format!("/v1/exports/{id}/archive"), token).send()
        };
        let look = |id: &str, token: &str| {
            app.request("GET", &format!("/v1/exports/{id}?token={token}")).send()
        };
        let none = uuid::Uuid::nil().to_string();
        for (id, token) in [(&theirs, token(&mine)), (&mine, token(&theirs)), (&none, token(&mine))] {
            open(id, &token).expect_problem(404, "not-found");
            look(id, &token).expect_problem(404, "not-found");
        }
        for wrong in ["", "x", &"A".repeat(43)] {
            open(&mine, wrong).expect_problem(404, "not-found");
            look(&mine, wrong).expect_problem(404, "not-found");
        }
        app.request("GET", &format!("/v1/exports/{mine}")).send().expect_problem(404, "not-found");
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
        // Whoever looks after the person's mail opens what is in it.
        for _ in 0..3 {
            app.open_link(&link).expect(200);
            app.clock().advance(11 * MINUTE);
        }
        let first = download(&app, &link).expect(200);
        assert_eq!(first.header("content-disposition"), Some("attachment; filename=\"chuangrenmai-data.zip\""));
        assert!(read(&app, &person, &id)["downloaded_at"].is_string());
        // A download that broke off can be done again, for a while.
        app.clock().advance(9 * MINUTE);
        assert_eq!(download(&app, &link).expect(200).body, first.body);
        app.clock().advance(2 * MINUTE);
        app.open_link(&link).expect_problem(410, "export-downloaded");
        let (page, token) = link.split_once("?token=").expect("a token");
        press(&app, &format!("{page}/archive"), token).expect_problem(410, "export-downloaded");
    }

    // clause R6
    fn the_link_opens_a_page_that_does_nothing_by_itself(builder: Builder) {
        let app = building(builder).start();
        let person = app.someone();
        let id = ask(&app, &person).expect(202).text("/id");
        build(&app);
        let link = link(&app, &id);
        let page = app.open_link(&link).expect(200);
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("content-security-policy",
             "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"),
        ] {
            assert_eq!(page.header(name), Some(value));
        }
        let text = std::str::from_utf8(&page.body).expect("UTF-8");
        for loads in ["<script", "src=", "<link", "http-equiv", "://"] {
            assert!(!text.contains(loads), "{loads}");
        }
        assert_eq!(read(&app, &person, &id)["downloaded_at"], Value::Null);
        let path = format!("/v1/exports/{id}/archive");
        let token = link.split_once("token=").expect("a token").1;
        app.request("GET", &format!("{path}?token={token}")).send().expect_problem(405, "method-not-allowed");
        press_request(&app, &format!("{path}?token={token}"), "").send().expect_problem(404, "not-found");
    }

    // clause R6
    fn a_download_under_a_key_is_whole_each_time(builder: Builder) {
        let app = building(builder).start();
        let id = ask(&app, &app.someone()).expect(202).text("/id");
        build(&app);
        let link = link(&app, &id);
        let token = link.split_once("token=").expect("a token").1;
        let press = || {
            let form = press_request(&app, &format!("/v1/exports/{id}/archive"), token);
            form.header("idempotency-key", "download").send().expect(200)
        };
        for _ in 0..2 {
            let answer = press();
            assert_eq!(answer.header("idempotent-replayed"), None);
            assert!(unzip(&answer.body).contains_key("index.html"));
        }
        assert_eq!(app.database().count("SELECT COUNT(*) FROM idempotency_keys"), 0);
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
        download(&app, &link(&app, &early)).expect_problem(410, "export-expired");
        download(&app, &link(&app, &late)).expect(200);
    }

    // clause R6
    fn one_is_under_way_at_a_time_and_the_newest_address_counts(builder: Builder) {
        let mail = AliyunMail::start(KEY_ID, SECRET);
        let app = with_mail(builder, &mail).start();
        let person = app.someone();
        let to = |email: &str| ask_to(&app, &person, email).expect(202).text("/id");
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
        let files = unzip(&download(&app, &link(&app, &id)).expect(200).body);
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
        unzip(&download(&app, &mailed(sent)).expect(200).body);
        assert!(app.log().events("export-ready").is_empty(), "the link is for the person alone");
        let told = app.get("/v1/account/disclosures", &person.token).expect(200);
        let item = &told.json["items"][0];
        assert_eq!((&item["recipient"], &item["data"]), (&json!("aliyun-mail"), &json!(["e-mail address"])));
        assert_eq!(item["reference"], json!(id));
    }

    // clause R6, T3
    [stand_in] fn a_provider_that_is_away_or_lies_loses_nothing(builder: Builder) {
        let mail = AliyunMail::start(KEY_ID, SECRET);
        let app = with_mail(builder, &mail).start();
        app.clock().stop();
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
            // It is not tried again before its time.
            build(&app);
            assert!(mail.mails().is_empty());
            // It is after six hours at most.
            app.clock().advance(6 * HOUR);
            mail.set_clock(app.clock().now_ms());
        }
        build(&app);
        assert_eq!(read(&app, &person, &id)["status"], "ready");
        download(&app, &mailed(&mail.mails()[0])).expect(200);
        app.clock().advance(DAY / 2);
        build(&app);
        assert_eq!(mail.mails().len(), 1);
        // However often it was tried, one address went to the provider once.
        assert_eq!(disclosures(&app, &person), 1);
    }

    // clause R6
    [stand_in] fn a_mail_whose_answer_was_lost_has_the_same_link(builder: Builder) {
        let mail = AliyunMail::start(KEY_ID, SECRET);
        let app = with_mail(builder, &mail).start();
        app.clock().stop();
        let person = app.someone();
        let id = ask(&app, &person).expect(202).text("/id");
        mail.plan(Behaviour::Hang);
        thread::scope(|scope| {
            let first = scope.spawn(|| build(&app));
            while mail.mails().is_empty() && !first.is_finished() {
                thread::yield_now();
            }
            // While one call waits for the provider, no other sends the mail.
            go_on(&app);
            assert!(!first.is_finished());
        });
        // It is there, and opens the archive.
        assert_eq!(mail.mails().len(), 1);
        download(&app, &mailed(&mail.mails()[0])).expect(200);
        app.clock().advance(MINUTE);
        build(&app);
        assert_eq!(read(&app, &person, &id)["status"], "ready");
        let mails = mail.mails();
        assert_eq!(mails.len(), 2);
        assert_eq!(mailed(&mails[0]), mailed(&mails[1]));
    }

    // clause R6
    [stand_in] fn a_mail_that_fails_goes_to_a_new_address_at_once(builder: Builder) {
        let mail = AliyunMail::start(KEY_ID, SECRET);
        let app = with_mail(builder, &mail).start();
        app.clock().stop();
        let person = app.someone();
        let id = ask_to(&app, &person, "full@example.cn").expect(202).text("/id");
        mail.plan(Behaviour::Refuse(503, "ServiceUnavailable"));
        build(&app);
        assert_eq!(ask_to(&app, &person, "other@example.cn").expect(202).text("/id"), id);
        build(&app);
        assert_eq!(addressees(&mail), ["other@example.cn"]);
        assert_eq!(disclosures(&app, &person), 2);
    }

    // clause R6
    fn what_is_said_of_one_address_is_not_said_of_the_next(builder: Builder) {
        let mail = AliyunMail::start(KEY_ID, SECRET);
        let app = with_mail(builder, &mail).start();
        let person = app.someone();
        let id = ask_to(&app, &person, "first@example.cn").expect(202).text("/id");
        mail.plan(Behaviour::Hang);
        thread::scope(|scope| {
            let first = scope.spawn(|| build(&app));
            while mail.mails().is_empty() && !first.is_finished() {
                thread::yield_now();
            }
            ask_to(&app, &person, "second@example.cn").expect(202);
            build(&app);
        });
        assert_eq!(addressees(&mail), ["first@example.cn", "second@example.cn"]);
        assert_eq!(read(&app, &person, &id)["status"], "ready");
        // Whoever has the first address has nothing by it.
        let links: Vec<_> = mail.mails().iter().map(mailed).collect();
        download(&app, &links[0]).expect(404);
        download(&app, &links[1]).expect(200);
    }

    // clause R6
    [stand_in] fn an_address_is_changed_ten_times_a_day_and_the_same_one_costs_nothing(builder: Builder) {
        let mail = AliyunMail::start(KEY_ID, SECRET);
        let app = with_mail(builder, &mail).start();
        app.clock().stop();
        let person = app.someone();
        let id = ask_to(&app, &person, "first@example.cn").expect(202).text("/id");
        mail.plan(Behaviour::Refuse(503, "ServiceUnavailable"));
        build(&app);
        for _ in 0..20 {
            assert_eq!(ask_to(&app, &person, "first@example.cn").expect(202).text("/id"), id);
        }
        // It has its turn when it would have had it.
        build(&app);
        assert!(addressees(&mail).is_empty());
        for nth in 0..10 {
            ask_to(&app, &person, &format!("{nth}@example.cn")).expect(202);
        }
        ask_to(&app, &person, "another@example.cn").expect_problem(429, "rate-limited");
        build(&app);
        assert_eq!(addressees(&mail), ["9@example.cn"]);
    }

    // clause R6
    [stand_in] fn mails_that_fail_hold_no_other_up(builder: Builder) {
        let mail = AliyunMail::start(KEY_ID, SECRET);
        let app = with_mail(builder, &mail).start();
        app.clock().stop();
        let waiting: Vec<_> = (0..5).map(|_| app.someone()).collect();
        for person in &waiting {
            ask_to(&app, person, "full@example.cn").expect(202);
            mail.plan(Behaviour::Refuse(503, "ServiceUnavailable"));
        }
        build(&app);
        assert!(addressees(&mail).is_empty());
        app.clock().advance(MINUTE);
        // They are due again, and before anybody who comes now.
        for _ in &waiting {
            mail.plan(Behaviour::Refuse(503, "ServiceUnavailable"));
        }
        ask_to(&app, &app.someone(), "new@example.cn").expect(202);
        build(&app);
        assert_eq!(addressees(&mail), ["new@example.cn"]);
        app.clock().advance(MINUTE);
        build(&app);
        assert_eq!(addressees(&mail).len(), 6);
    }

    // clause R6
    [stand_in] fn copies_that_cannot_be_built_hold_no_other_up(builder: Builder) {
        let app = building(builder.without_limits()).start();
        app.clock().stop();
        let waiting: Vec<_> = (0..21).map(|_| app.someone()).collect();
        for person in &waiting {
            ask(&app, person).expect(202);
        }
        // Their numbers do not open.
        app.database().rows("UPDATE accounts SET phone = phone_hash WHERE id <> '' RETURNING id");
        app.clock().advance(MINUTE);
        let person = app.someone();
        let id = ask(&app, &person).expect(202).text("/id");
        build(&app);
        assert_eq!(read(&app, &person, &id)["status"], "ready");
        let left = "SELECT COUNT(*) FROM exports WHERE status = 'building' AND parts = 0";
        assert_eq!(app.database().count(left), 21);
    }

    // clause R6
    [stand_in] fn a_copy_that_stops_who_builds_it_holds_no_other_up(builder: Builder) {
        let app = building(builder).start();
        app.clock().stop();
        let (person, other) = (app.someone(), app.someone());
        let id = ask(&app, &person).expect(202).text("/id");
        app.faults().clear();
        go_on(&app);
        let calls = app.faults().calls().len();
        let other_id = ask(&app, &other).expect(202).text("/id");
        app.database().rows(&format!(
            "UPDATE exports SET due_at = 0, step = 'rows:accounts:', status = 'building' WHERE id = '{id}' \
             RETURNING id"
        ));
        // Once it has its turn, whoever goes on with it dies.
        app.faults().trap(calls / 2, "after");
        let call = app.request("POST", "/internal/exports").body("application/json", "{}");
        assert_eq!(call.send_unchecked().status, 500);
        app.faults().clear();
        assert_eq!(read(&app, &other, &other_id)["status"], "building");
        build(&app);
        assert_eq!(read(&app, &other, &other_id)["status"], "ready");
        assert_ne!(read(&app, &person, &id)["status"], "ready");
        app.clock().advance(MINUTE);
        build(&app);
        assert_eq!(read(&app, &person, &id)["status"], "ready");
    }

    // clause R6
    fn an_address_that_takes_no_mail_ends_it(builder: Builder) {
        let mail = AliyunMail::start(KEY_ID, SECRET);
        let app = with_mail(builder, &mail).variable("exports_per_day", "100").start();
        let person = app.someone();
        for (status, code) in [
            (400, "InvalidToAddress"),
            (400, "InvalidToAddress.Spam"),
            (404, "InvalidReceiver.NotFound"),
        ] {
            let id = ask(&app, &person).expect(202).text("/id");
            mail.plan(Behaviour::Refuse(status, code));
            build(&app);
            assert_eq!(read(&app, &person, &id)["status"], "failed", "{code}");
            assert_ne!(ask(&app, &person).expect(202).text("/id"), id);
            build(&app);
        }
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

    // clause R1, R6
    [stand_in] fn what_is_lost_keeps_nobody_from_the_rest(builder: Builder) {
        let app = building(builder).start();
        app.clock().stop();
        let person = app.someone();
        // A millisecond apart, since what was made in the same one has no order.
        let [kept, broken, gone] = ["kept", "broken", "gone"].map(|name| {
            app.clock().advance(Duration::from_millis(1));
            app.upload(&person, "image", "image/png", &png(name))
        });
        for text in ["readable", "lost"] {
            app.clock().advance(Duration::from_millis(1));
            let request = json!({ "kind": "access", "text": text });
            app.request("POST", "/v1/requests").token(&person.token).json(&request).expect(201);
        }
        for statement in [
            // As of what something refers to.
            "UPDATE uploads SET expires_at = NULL WHERE id <> '' RETURNING id".to_owned(),
            format!("UPDATE uploads SET slot = 99 WHERE id = '{gone}' RETURNING id"),
            "UPDATE requests SET text = (SELECT a.phone_hash FROM accounts a WHERE a.id = requests.account_id) \
             WHERE id = (SELECT MAX(r.id) FROM requests r) RETURNING id".to_owned(),
        ] {
            app.database().rows(&statement);
        }
        let slot = app.database().count(&format!("SELECT slot FROM uploads WHERE id = '{broken}'"));
        app.overwrite_key(&format!("upload:{slot}"), b"broken");

        let held = app.get("/v1/account/data/requests", &person.token).expect(200);
        let held = held.json["holdings"].as_array().expect("holdings").iter()
            .find(|held| held["name"] == "requests").expect("requests").clone();
        let lost = held["unreadable"][0]["id"].as_str().expect("an identifier").to_owned();
        assert_eq!(held["unreadable"], json!([{ "id": lost, "column": "text" }]));
        let texts = |rows: &[Value]| -> Vec<_> { rows.iter().map(|row| row["text"].clone()).collect() };
        assert_eq!(texts(held["rows"].as_array().expect("rows")), [json!("readable"), Value::Null]);

        let id = ask(&app, &person).expect(202).text("/id");
        build(&app);
        app.clock().advance(DAY - HOUR);
        build(&app);
        // It may be back tomorrow.
        assert_eq!(read(&app, &person, &id)["status"], "building");
        assert!(app.log().events("export-incomplete").is_empty());
        app.clock().advance(7 * HOUR);
        build(&app);
        assert_eq!(read(&app, &person, &id)["status"], "ready");
        let files = unzip(&download(&app, &link(&app, &id)).expect(200).body);
        assert_eq!(lines(&files["missing.jsonl"]), [
            json!({ "file": "data/requests.jsonl", "id": lost, "column": "text" }),
            json!({ "file": format!("uploads/{broken}.png") }),
            json!({ "file": format!("uploads/{gone}.png") }),
        ]);
        let page = std::str::from_utf8(&files["index.html"]).expect("UTF-8");
        assert!(page.contains("有 3 项内容") && page.contains("href=\"missing.jsonl\""));
        assert_eq!(texts(&lines(&files["data/requests.jsonl"])), [json!("readable"), Value::Null]);
        let names: Vec<_> = files.keys().filter(|name| name.starts_with("uploads/")).collect();
        assert_eq!(names, [&format!("uploads/{kept}.png")]);
        for file in ["data/requests.jsonl".to_owned(), format!("uploads/{broken}.png"), format!("uploads/{gone}.png")] {
            let told = app.log().event_with("export-incomplete", "file", &file);
            assert_eq!((&told["level"], &told["export"]), (&json!("alarm"), &json!(id)));
        }
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
