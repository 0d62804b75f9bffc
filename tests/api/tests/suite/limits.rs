//! How many codes can be asked for.

use std::thread;

use api_tests::{Answer, App, Builder, DAY, HOUR, MINUTE, SECOND, mobile_number, on_both_engines};
use serde_json::json;

fn ask(app: &App, phone: &str) -> Answer {
    app.post(
        "/v1/auth/sms-codes",
        &json!({ "phone": phone, "purpose": "login" }),
    )
}

/// Asks as a client behind a proxy that names this address.
fn ask_from(app: &App, address: &str) -> Answer {
    app.request("POST", "/v1/auth/sms-codes")
        .header("x-forwarded-for", address)
        .json(&json!({ "phone": mobile_number(), "purpose": "login" }))
}

fn behind_proxy(builder: Builder) -> App {
    builder
        .variable("client_address_header", "x-forwarded-for")
        .variable("sms_codes_per_address_hour", "2")
        .start()
}

on_both_engines! {
    // clause L1
    [stand_in] fn one_a_minute(app: App) {
        app.clock().stop();
        let phone = mobile_number();
        ask(&app, &phone).expect(202);
        app.clock().advance(MINUTE - SECOND);
        let refused = ask(&app, &phone).expect_problem(429, "rate-limited");
        assert_eq!(refused.retry_after(), 1);
        app.clock().advance(SECOND);
        ask(&app, &phone).expect(202);
    }

    // clause L1
    [stand_in] fn five_an_hour_and_ten_a_day(app: App) {
        app.clock().stop();
        let phone = mobile_number();
        for window in 0..2 {
            for _ in 0..5 {
                ask(&app, &phone).expect(202);
                app.clock().advance(MINUTE);
            }
            let refused = ask(&app, &phone).expect_problem(429, "rate-limited");
            let wait = refused.retry_after();
            if window == 0 {
                assert_eq!(wait, (HOUR - 5 * MINUTE).as_secs());
                app.clock().advance(HOUR - 5 * MINUTE);
            }
        }
        app.clock().advance(HOUR);
        let refused = ask(&app, &phone).expect_problem(429, "rate-limited");
        assert!(refused.retry_after() > 20 * HOUR.as_secs());
        app.clock().advance(DAY - 2 * HOUR - 5 * MINUTE);
        ask(&app, &phone).expect(202);
    }

    [stand_in] fn a_refused_request_takes_no_counter(app: App) {
        app.clock().stop();
        let phone = mobile_number();
        ask(&app, &phone).expect(202);
        for _ in 0..20 {
            ask(&app, &phone).expect_problem(429, "rate-limited");
        }
        app.clock().advance(MINUTE);
        ask(&app, &phone).expect(202);
    }

    fn an_address_has_its_own_limit_whatever_the_number(builder: Builder) {
        let app = builder.variable("sms_codes_per_address_hour", "3").start();
        for _ in 0..3 {
            // A new connection, so another port.
            ask(&app, &mobile_number()).expect(202);
        }
        ask(&app, &mobile_number()).expect_problem(429, "rate-limited");
    }

    fn the_host_names_the_address_and_the_client_cannot(builder: Builder) {
        let app = builder.variable("sms_codes_per_address_hour", "1").start();
        let ask_as = |address: &str| {
            app.request("POST", "/v1/auth/sms-codes")
                .header("spin-client-addr", address)
                .json(&json!({ "phone": mobile_number(), "purpose": "login" }))
        };
        ask_as("198.51.100.1:1").expect(202);
        ask_as("198.51.100.2:2").expect_problem(429, "rate-limited");
    }

    fn ports_do_not_count(builder: Builder) {
        let app = behind_proxy(builder);
        ask_from(&app, "203.0.113.9:1000").expect(202);
        ask_from(&app, "203.0.113.9:2000").expect(202);
        ask_from(&app, "203.0.113.9").expect_problem(429, "rate-limited");
        ask_from(&app, "203.0.113.10").expect(202);
    }

    fn an_ipv6_network_counts_as_one(builder: Builder) {
        let app = behind_proxy(builder);
        ask_from(&app, "2001:db8:1:2::1").expect(202);
        ask_from(&app, "[2001:db8:1:2:ffff::9]:443").expect(202);
        ask_from(&app, "2001:db8:1:2:3:4:5:6").expect_problem(429, "rate-limited");
        ask_from(&app, "2001:db8:1:3::1").expect(202);
    }

    fn only_what_the_nearest_proxy_wrote_counts(builder: Builder) {
        let app = behind_proxy(builder);
        ask_from(&app, "198.51.100.1, 203.0.113.9").expect(202);
        ask_from(&app, "198.51.100.2, 203.0.113.9").expect(202);
        ask_from(&app, "198.51.100.3, 203.0.113.9").expect_problem(429, "rate-limited");
    }

    // clause L1
    fn the_counters_hold_under_requests_at_once(builder: Builder) {
        let app = builder
            .variable("sms_codes_per_number_minute", "7")
            .variable("sms_codes_per_number_hour", "7")
            .variable("sms_codes_per_address_hour", "1000")
            .start();
        let phone = mobile_number();
        let sent: usize = thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|_| scope.spawn(|| (0..4).filter(|_| ask(&app, &phone).status == 202).count()))
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("it answers")).sum()
        });
        assert_eq!(sent, 7);
    }
}
