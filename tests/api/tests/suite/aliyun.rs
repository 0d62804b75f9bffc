//! Sending codes through Alibaba Cloud, against a stand-in that checks every signature.
use api_tests::{Answer, App, Builder, Device, mobile_number, on_both_engines};
use provider_stand_ins::aliyun_sms::{AliyunSms, Behaviour};
use serde_json::json;

const KEY_ID: &str = "LTAI-test-key-id";
const SECRET: &str = "test-secret-with+sign/and=more";
const SIGN_NAME: &str = "创人脉 +*~测试";

fn start(builder: Builder, endpoint: &str) -> App {
    builder
        .variable("sms_provider", "aliyun")
        .variable("aliyun_sms_endpoint", endpoint)
        .variable("aliyun_access_key_id", KEY_ID)
        .variable("aliyun_access_key_secret", SECRET)
        .variable("aliyun_sms_sign_name", SIGN_NAME)
        .variable("aliyun_sms_template_code", "SMS_154950909")
        .start()
}

fn provider() -> AliyunSms {
    AliyunSms::start(KEY_ID, SECRET)
}

fn ask(app: &App, phone: &str) -> Answer {
    app.post(
        "/v1/auth/sms-codes",
        &json!({ "phone": phone, "purpose": "login" }),
    )
}

/// The counters that are taken for all that was asked for.
fn taken(app: &App) -> i64 {
    app.database()
        .count("SELECT COALESCE(CAST(SUM(taken) AS BIGINT), 0) FROM rate_limits")
}

/// The number's own counters; the address's allows more than any of them.
fn taken_from_the_person(app: &App) -> i64 {
    app.database().count(
        "SELECT COALESCE(CAST(SUM(taken) AS BIGINT), 0) FROM rate_limits WHERE allowed <= 10",
    )
}

fn disclosures(app: &App) -> i64 {
    app.database().count("SELECT COUNT(*) FROM disclosures")
}

/// The level at which the problem of this answer was logged.
fn logged_level(app: &App, answer: &Answer) -> String {
    let event = app.log().event("problem", answer.request_id());
    event["level"].as_str().expect("a level").to_owned()
}

on_both_engines! {
    // clause V18, L1
    fn the_code_arrives_and_logs_in(builder: Builder) {
        let sms = provider();
        let app = start(builder, sms.url());
        let phone = mobile_number();
        ask(&app, &phone).expect(202);
        let messages = sms.messages();
        let [message] = &messages[..] else { panic!("{messages:?}, {:?}", sms.refusals()) };
        let parameters: serde_json::Value =
            serde_json::from_str(&message.parameters["TemplateParam"]).expect("JSON");
        let code = parameters["code"].as_str().expect("a text");
        app.post("/v1/auth/sessions", &App::login(&phone, code, &Device::new("a"))).expect(201);
        assert!(app.log().events("sms-code").is_empty(), "the code is for the person alone");
    }

    // clause T1, T6
    fn nothing_but_number_template_and_code_leaves(builder: Builder) {
        let sms = provider();
        let app = start(builder, sms.url());
        let phone = mobile_number();
        ask(&app, &phone).expect(202);
        let message = sms.messages().remove(0);
        let names: Vec<_> = message.parameters.keys().map(String::as_str).collect();
        assert_eq!(names, ["PhoneNumbers", "SignName", "TemplateCode", "TemplateParam"]);
        assert_eq!(message.parameters["PhoneNumbers"], phone[3..]);
        assert_eq!(message.parameters["SignName"], SIGN_NAME);
        assert_eq!(message.parameters["TemplateCode"], "SMS_154950909");
        assert!(message.body.is_empty());
        let known = [
            "accept", "authorization", "content-length", "host", "transfer-encoding", "user-agent",
            "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version",
        ];
        for (name, value) in &message.headers {
            assert!(known.contains(&name.as_str()), "{name}");
            assert!(!value.contains(&phone[3..]), "{name}");
        }
    }

    // clause T3
    fn the_disclosure_is_on_record_before_anything_leaves(builder: Builder) {
        let sms = provider();
        let app = start(builder, sms.url());
        sms.plan(Behaviour::Close);
        ask(&app, &mobile_number()).expect(503);
        let rows = app.database().rows("SELECT recipient, purpose, data, basis FROM disclosures");
        let [row] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!(row[0].to_string(), "aliyun-sms");
        assert_eq!(row[2].to_string(), "phone number,one-time code");
        assert!(!row[1].bytes().is_empty() && !row[3].bytes().is_empty());
    }

    // clause V18
    fn a_limit_of_the_provider_is_told_and_gives_the_count_back(builder: Builder) {
        let sms = provider();
        let app = start(builder, sms.url());
        let phone = mobile_number();
        sms.plan(Behaviour::Refuse(200, "isv.BUSINESS_LIMIT_CONTROL"));
        ask(&app, &phone).expect_problem(429, "sms-limit");
        sms.plan(Behaviour::Refuse(200, "isv.MOBILE_NUMBER_ILLEGAL"));
        ask(&app, &phone).expect_problem(422, "phone-invalid");
        assert_eq!(taken_from_the_person(&app), 0);
        // What we were asked for is counted all the same.
        assert_eq!(taken(&app), 2);
        ask(&app, &phone).expect(202);
        assert_eq!((sms.messages().len(), disclosures(&app)), (1, 3));
    }

    // clause V18
    fn every_documented_refusal_is_answered_and_gives_the_count_back(builder: Builder) {
        let sms = provider();
        let app = start(builder.variable("sms_codes_per_address_hour", "100"), sms.url());
        let phone = mobile_number();
        for (status, code, level) in REFUSALS {
            sms.plan(Behaviour::Refuse(status, code));
            let answer = ask(&app, &phone).expect_problem(503, "sms-unavailable");
            assert_eq!(answer.retry_after(), 60);
            assert_eq!(logged_level(&app, &answer), level, "{code}");
            assert!(!String::from_utf8_lossy(&answer.body).contains(code), "{code}");
            assert_eq!(taken_from_the_person(&app), 0, "{code}");
        }
        assert!(sms.messages().is_empty());
    }

    // clause V18
    fn a_code_that_was_refused_cannot_be_guessed_and_voids_none(builder: Builder) {
        let sms = provider();
        let app = start(builder.variable("sms_codes_per_number_minute", "2"), sms.url());
        let phone = mobile_number();
        ask(&app, &phone).expect(202);
        let before = app.database().rows("SELECT code_hash FROM sms_codes");
        sms.plan(Behaviour::Refuse(200, "isv.AMOUNT_NOT_ENOUGH"));
        ask(&app, &phone).expect_problem(503, "sms-unavailable");
        assert_eq!(format!("{before:?}"), format!("{:?}", app.database().rows("SELECT code_hash FROM sms_codes")));
        let parameters = &sms.messages()[0].parameters["TemplateParam"];
        let parameters: serde_json::Value = serde_json::from_str(parameters).expect("JSON");
        let code = parameters["code"].as_str().expect("a text");
        app.post("/v1/auth/sessions", &App::login(&phone, code, &Device::new("a"))).expect(201);
    }

    // clause V18
    fn a_wrong_secret_or_key_is_an_alarm(builder: Builder) {
        let sms = AliyunSms::start(KEY_ID, "another secret");
        let app = start(builder, sms.url());
        let answer = ask(&app, &mobile_number()).expect_problem(503, "sms-unavailable");
        assert_eq!(sms.refusals(), ["SignatureDoesNotMatch"]);
        assert_eq!(logged_level(&app, &answer), "alarm");
    }

    // clause V18
    [stand_in] fn the_provider_compares_the_date(builder: Builder) {
        let sms = provider();
        let app = start(builder, sms.url());
        app.clock().set(1_900_000_000_000);
        ask(&app, &mobile_number()).expect_problem(503, "sms-unavailable");
        assert_eq!(sms.refusals(), ["InvalidTimeStamp.Expired"]);
        sms.set_clock(1_900_000_000_000);
        ask(&app, &mobile_number()).expect(202);
    }

    // clause V18
    fn each_request_has_a_nonce_of_its_own(builder: Builder) {
        let sms = provider();
        let app = start(builder, sms.url());
        for _ in 0..5 {
            ask(&app, &mobile_number()).expect(202);
        }
        assert_eq!((sms.messages().len(), sms.refusals().len()), (5, 0));
    }

    // clause V18
    fn nonsense_may_mean_anything_so_it_counts(builder: Builder) {
        let sms = provider();
        let app = start(builder, sms.url());
        let large = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(1 << 20));
        for raw in [
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
            "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>",
            "HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\n{\"Co",
            "SSH-2.0-OpenSSH_9.2\r\n",
            &large,
        ] {
            let before = taken(&app);
            sms.plan(Behaviour::Raw(raw.as_bytes().to_vec()));
            ask(&app, &mobile_number()).expect_problem(503, "sms-unavailable");
            assert_eq!(taken(&app), before + 4, "{}", &raw[..20]);
        }
    }

    // clause V18
    fn a_hanging_and_a_dripping_provider_are_left_in_time_and_count(builder: Builder) {
        let sms = provider();
        let app = start(builder, sms.url());
        std::thread::scope(|scope| {
            for behaviour in [Behaviour::Hang, Behaviour::Drip] {
                sms.plan(behaviour);
                scope.spawn(|| ask(&app, &mobile_number()).expect_problem(503, "sms-unavailable"));
            }
        });
        assert_eq!(sms.messages().len(), 2);
        // Two numbers and one address, each by its windows.
        assert_eq!(taken(&app), 2 * 3 + 2);
        let phone = format!("+86{}", sms.messages()[0].parameters["PhoneNumbers"]);
        ask(&app, &phone).expect_problem(429, "rate-limited");
        // It may have been delivered, so its code is good.
        let parameters = &sms.messages()[0].parameters["TemplateParam"];
        let parameters: serde_json::Value = serde_json::from_str(parameters).expect("JSON");
        let code = parameters["code"].as_str().expect("a text");
        app.post("/v1/auth/sessions", &App::login(&phone, code, &Device::new("a"))).expect(201);
    }

    // clause V18
    fn a_provider_that_cannot_be_reached_costs_the_person_nothing(builder: Builder) {
        // Nobody listens there, and nobody is given that port.
        let app = start(builder, "http://127.0.0.1:1");
        let phone = mobile_number();
        for _ in 0..3 {
            ask(&app, &phone).expect_problem(503, "sms-unavailable");
        }
        assert_eq!(taken_from_the_person(&app), 0);
    }

    fn without_its_configuration_nothing_is_sent(builder: Builder) {
        let sms = provider();
        let app = builder
            .variable("sms_provider", "aliyun")
            .variable("aliyun_sms_endpoint", sms.url())
            .start();
        ask(&app, &mobile_number()).expect_problem(500, "internal");
        assert_eq!((taken_from_the_person(&app), disclosures(&app)), (0, 0));
    }
}

/// Documented codes with their status, and the level at which ours logs them: an alarm where people must
/// act.
const REFUSALS: [(u16, &str, &str); 47] = [
    (200, "isp.SYSTEM_ERROR", "error"),
    (200, "isp.GATEWAY_ERROR", "error"),
    (500, "InternalError", "error"),
    (503, "ServiceUnavailable", "error"),
    (400, "Throttling", "error"),
    (400, "Throttling.User", "error"),
    (429, "Throttling.Api", "error"),
    (400, "SignatureDoesNotMatch", "alarm"),
    (400, "IncompleteSignature", "alarm"),
    (404, "InvalidAccessKeyId.NotFound", "alarm"),
    (400, "InvalidAccessKeyId.Inactive", "alarm"),
    (400, "InvalidTimeStamp.Expired", "alarm"),
    (400, "SignatureNonceUsed", "alarm"),
    (400, "MissingParameter", "alarm"),
    (404, "InvalidAction.NotFound", "alarm"),
    (403, "Forbidden.RAM", "alarm"),
    (403, "NoPermission", "alarm"),
    (200, "isp.RAM_PERMISSION_DENY", "alarm"),
    (200, "isv.BLACK_KEY_CONTROL_LIMIT", "alarm"),
    (200, "isv.CUSTOMER_REFUSED", "alarm"),
    (200, "isv.SMS_TEST_NUMBER_LIMIT", "alarm"),
    (200, "isv.DOMESTIC_NUMBER_NOT_SUPPORTED", "alarm"),
    (200, "isv.MOBILE_COUNT_OVER_LIMIT", "alarm"),
    (200, "isv.DAY_LIMIT_CONTROL", "alarm"),
    (200, "isv.MONTH_LIMIT_CONTROL", "alarm"),
    (200, "isv.OUT_OF_SERVICE", "alarm"),
    (200, "isv.AMOUNT_NOT_ENOUGH", "alarm"),
    (200, "isv.PRODUCT_UN_SUBSCRIPT", "alarm"),
    (200, "isv.PRODUCT_UNSUBSCRIBE", "alarm"),
    (200, "isv.ACCOUNT_NOT_EXISTS", "alarm"),
    (200, "isv.ACCOUNT_ABNORMAL", "alarm"),
    (200, "isv.SECURITY_FROZEN_ACCOUNT", "alarm"),
    (200, "isv.DENY_IP_RANGE", "alarm"),
    (200, "isv.SMS_SIGNATURE_ILLEGAL", "alarm"),
    (200, "isv.SMS_SIGN_ILLEGAL", "alarm"),
    (200, "isv.SIGN_STATE_ILLEGAL", "alarm"),
    (200, "isv.SMS_SIGNATURE_SCENE_ILLEGAL", "alarm"),
    (200, "isv.SMS_TEMPLATE_ILLEGAL", "alarm"),
    (200, "isv.TEMPLATE_MISSING_PARAMETERS", "alarm"),
    (200, "isv.TEMPLATE_PARAMS_ILLEGAL", "alarm"),
    (200, "isv.INVALID_JSON_PARAM", "alarm"),
    (200, "isv.INVALID_PARAMETERS", "alarm"),
    (200, "isv.PARAM_LENGTH_LIMIT", "alarm"),
    (200, "isv.SMS_CONTENT_ILLEGAL", "alarm"),
    (200, "isv.EXTEND_CODE_ERROR", "alarm"),
    (200, "PORT_NOT_REGISTERED", "alarm"),
    (200, "isv.A_CODE_OF_TOMORROW", "alarm"),
];
