//! The two files that explain an archive: `schema.json` for machines, and `index.html` for people. Both are made from
//! the data map.

use std::fmt::Write as _;

use serde_json::{Value, json};
use shared::data_map::{Basis, Category, Holding, OnDeletion, Retention};
use shared::time::Timestamp;

use super::missing;
use super::step::tables;

/// What each file holds, column by column, why, on which basis and for how long.
pub fn schema() -> Value {
    let file = |table: &Holding| {
        json!({
            "file": format!("data/{}.jsonl", table.name),
            "table": table.name,
            "title": title(table.name),
            "category": table.category,
            "purpose": table.purpose,
            "basis": table.basis,
            "retention": table.retention,
            "on_deletion": table.on_deletion,
            "columns": table.copied().map(|column| column.name).collect::<Vec<_>>(),
        })
    };
    json!({
        "format": "JSON Lines (https://jsonlines.org): UTF-8, one object a line; times in RFC 3339",
        "tables": tables().map(file).collect::<Vec<_>>(),
        "uploads": {
            "files": "uploads/<id>.<type>: the files themselves",
            "links": "uploads/links.jsonl: where they lie in an object store, links that expire",
        },
        "missing": "missing.jsonl: what could not be read: the file, or its row's id and the column, which is null there",
    })
}

/// The page that a person opens first; `missing` is how much could not be read.
pub fn page(made_at: Timestamp, missing: usize) -> String {
    let lacks = match missing {
        0 => String::new(),
        missing => format!(
            "<p><strong>有 {missing} 项内容因存储故障未能读取,未包含在本副本中</strong>,\
             清单见 <a href=\"{}\">{}</a>。我们正在处理,您可以稍后重新申请副本。</p>\n",
            missing::NAME,
            missing::NAME
        ),
    };
    let mut rows = String::new();
    for category in Category::ALL {
        for table in tables().filter(|table| table.category == *category) {
            let _ = writeln!(
                rows,
                "<tr><td>{}</td><td><a href=\"data/{table}.jsonl\">{}</a></td><td>{}</td><td>{}</td><td>{}</td></tr>",
                category_title(*category),
                title(table.name),
                basis(table.basis),
                retention(table.retention),
                on_deletion(table.on_deletion),
                table = table.name,
            );
        }
    }
    format!(
        "<!doctype html>\n<html lang=\"zh-CN\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>我的个人信息副本</title>\n\
         <style>body{{font:16px/1.6 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}\
         table{{border-collapse:collapse}}td,th{{border:1px solid #ccc;padding:.3rem .6rem;text-align:left}}</style>\n\
         <h1>创人脉:我的个人信息副本</h1>\n\
         <p>生成日期:{date}。本压缩包包含我们持有的关于您的个人信息。请妥善保管,不要转发给他人。</p>\n\
         <p>每个文件为 JSON Lines 格式:一行一条记录,UTF-8 编码,可用文本编辑器打开,也可由程序读取;\
         各列的含义见 <a href=\"schema.json\">schema.json</a>。空文件表示我们没有持有该项信息。</p>\n{lacks}\
         <table>\n<tr><th>类别</th><th>内容</th><th>处理依据</th><th>保存期限</th><th>注销账号后</th></tr>\n{rows}</table>\n\
         <h2>上传的文件</h2>\n<p>您上传的图片、语音和视频在文件夹 uploads 中;存放在对象存储中的,\
         其下载链接列于 uploads/links.jsonl,链接会过期。</p>\n</html>\n",
        date = made_at.china_date(),
    )
}

fn category_title(category: Category) -> &'static str {
    match category {
        Category::Account => "账号",
        Category::Devices => "设备",
        Category::Profile => "个人资料",
        Category::Consents => "同意记录",
        Category::Uploads => "上传的文件",
        Category::Verification => "认证",
        Category::Blocks => "黑名单",
        Category::Location => "位置",
        Category::Payment => "支付与金币",
        Category::Gifts => "礼物与赞赏",
        Category::Disclosures => "向第三方提供的记录",
        Category::Requests => "权利请求与副本",
        Category::Notices => "通知",
        Category::Service => "服务运行",
    }
}

/// What a table holds; its own name for one that has no title yet, which a test refuses.
fn title(table: &'static str) -> &'static str {
    match table {
        "accounts" => "账号与手机号",
        "policy_consents" => "对隐私政策的同意",
        "devices" => "登录过的设备",
        "sessions" => "登录状态",
        "disclosures" => "向第三方提供个人信息的记录",
        "profiles" => "个人资料",
        "consents" => "有效的单项同意",
        "consent_events" => "同意与撤回的凭证",
        "uploads" => "上传的文件清单",
        "verification_claims" => "认证的内容与结果",
        "verifications" => "发起过的认证",
        "verification_photos" => "审核中的证件照片",
        "blocks" => "拉黑的人",
        "locations" => "最后所在的网格",
        "wallets" => "金币账户",
        "orders" => "订单",
        "refunds" => "退款",
        "ledger" => "金币流水",
        "gifts" => "送出和收到的礼物",
        "exports" => "申请过的副本",
        "requests" => "提出的请求与答复",
        "notices" => "收到的通知",
        other => other,
    }
}

fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Consent => "您的同意",
        Basis::Law => "法律法规规定的义务",
        Basis::NationalSecurity => "国家安全、国防安全",
        Basis::PublicInterest => "公共安全、公共卫生、重大公共利益",
        Basis::Justice => "刑事侦查、起诉、审判和判决执行",
        Basis::VitalInterest => "生命、财产等重大合法权益",
        Basis::PublishedByThePerson => "您自行公开",
        Basis::LawfullyPublished => "合法公开披露",
        Basis::Contract => "履行您要求的合同",
        Basis::Research => "公共利益的统计或学术研究",
        Basis::Safety => "维护服务安全稳定运行",
        Basis::OtherLaw => "法律法规规定的其他情形",
    }
}

fn retention(retention: Retention) -> &'static str {
    match retention {
        Retention::Account => "账号存续期间",
        Retention::AfterAccount => "账号存续期间及其后三年(去标识)",
        Retention::RowExpiry => "到记录所载的时间为止",
        Retention::ThreeYears => "自完成之日起三年",
        Retention::UntilDone => "到事项办结为止",
        Retention::Always => "服务存续期间(去标识)",
    }
}

fn on_deletion(on_deletion: OnDeletion) -> &'static str {
    match on_deletion {
        OnDeletion::Deleted => "删除",
        OnDeletion::Expires => "很快到期删除",
        OnDeletion::Kept => "依法保留,不再指向您",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // clause R6
    #[test]
    fn both_tell_of_every_file_and_every_column() {
        let page = page(Timestamp(0), 0);
        assert!(!page.contains(missing::NAME));
        assert!(super::page(Timestamp(0), 2).contains(missing::NAME));
        let schema = schema();
        let described = schema["tables"].as_array().unwrap();
        assert_eq!(described.len(), tables().count());
        for (table, described) in tables().zip(described) {
            assert!(!title(table.name).is_ascii(), "{} has no title", table.name);
            assert!(page.contains(&format!("data/{}.jsonl", table.name)));
            let columns: Vec<_> = table.copied().map(|column| column.name).collect();
            assert_eq!(described["columns"], json!(columns));
        }
        // It loads nothing from anywhere.
        assert!(!page.contains("http"));
    }
}
