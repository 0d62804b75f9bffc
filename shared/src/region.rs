//! Administrative divisions of China by their codes (GB/T 2260); see `data/README.md` for the table.

/// `code<TAB>name[<TAB>year]`, sorted by code; a year marks a code that is no longer in use.
const TABLE: &str = include_str!("../data/gb2260.tsv");

/// Municipalities, Taiwan, Hong Kong and Macao are places of residence by themselves; other provinces are
/// too large to be one.
const CITY_PROVINCES: [&str; 7] = [
    "110000", "120000", "310000", "500000", "710000", "810000", "820000",
];

/// The whole city in which a division lies: a municipality, Hong Kong, Macao or Taiwan, a prefecture, or a
/// county that belongs to none.
pub fn whole_city(code: &str) -> String {
    let province = format!("{:.2}0000", code);
    if CITY_PROVINCES.contains(&province.as_str()) {
        return province;
    }
    // Counties right under their province are numbered under a prefecture 90, which does not exist.
    if code.get(2..4) == Some("90") {
        return code.to_owned();
    }
    format!("{code:.4}00")
}

/// The first and the last code of what lies in a division, itself included.
pub fn codes_within(code: &str) -> (String, String) {
    let last = if let Some(province) = code.strip_suffix("0000") {
        format!("{province}9999")
    } else if let Some(prefecture) = code.strip_suffix("00") {
        format!("{prefecture}99")
    } else {
        code.to_owned()
    };
    (code.to_owned(), last)
}

struct Division {
    name: &'static str,
    in_use: bool,
}

/// Whether there is, or was, such a division.
pub fn is_known(code: &str) -> bool {
    find(code).is_some()
}

/// Whether there is such a division now, and one can live in it as in a city.
pub fn is_city_in_use(code: &str) -> bool {
    find(code).is_some_and(|division| division.in_use)
        && (!code.ends_with("0000") || CITY_PROVINCES.contains(&code))
}

/// The division's whole name, from the province down: `福建省厦门市思明区`.
pub fn full_name(code: &str) -> Option<String> {
    let own = find(code)?.name;
    let above = [format!("{}0000", &code[..2]), format!("{}00", &code[..4])];
    let mut name = String::new();
    for parent in above.iter().filter(|parent| *parent != code) {
        // Some prefectures are only a number between province and county, and have no name.
        name.push_str(find(parent).map_or("", |division| division.name));
    }
    Some(name + own)
}

fn find(code: &str) -> Option<Division> {
    let is_code = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
    if !is_code {
        return None;
    }
    let (mut low, mut high) = (0, TABLE.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let bytes = TABLE.as_bytes();
        let start = bytes[..middle]
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let end = bytes[start..].iter().position(|byte| *byte == b'\n')? + start;
        let (found, rest) = TABLE[start..end].split_once('\t')?;
        match found.cmp(code) {
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Greater => high = start,
            std::cmp::Ordering::Equal => {
                let (name, year) = rest
                    .split_once('\t')
                    .map_or((rest, None), |(name, year)| (name, Some(year)));
                return Some(Division {
                    name,
                    in_use: year.is_none(),
                });
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_found_by_its_code() {
        assert!(TABLE.ends_with('\n'));
        assert!(TABLE.lines().is_sorted_by(|a, b| a[..6] < b[..6]));
        for line in TABLE.lines() {
            let columns: Vec<_> = line.split('\t').collect();
            let division = find(columns[0]).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(division.name, columns[1]);
            assert_eq!(division.in_use, columns.len() == 2, "{line}");
        }
    }

    #[test]
    fn names_go_from_the_province_down() {
        for (code, name) in [
            ("350203", "福建省厦门市思明区"),
            ("350200", "福建省厦门市"),
            ("350000", "福建省"),
            ("110105", "北京市朝阳区"),
            ("419001", "河南省济源市"),
            ("820000", "澳门特别行政区"),
        ] {
            assert_eq!(full_name(code).as_deref(), Some(name));
        }
    }

    #[test]
    fn the_city_of_a_district() {
        for (code, city, last) in [
            ("350203", "350200", "350299"),
            ("350200", "350200", "350299"),
            ("500233", "500000", "509999"),
            ("110000", "110000", "119999"),
            ("419001", "419001", "419001"),
            ("710000", "710000", "719999"),
        ] {
            assert_eq!(whole_city(code), city, "{code}");
            assert_eq!(codes_within(city), (city.into(), last.into()), "{code}");
        }
        assert_eq!(codes_within("350203"), ("350203".into(), "350203".into()));
    }

    #[test]
    fn garbage_is_no_code() {
        for code in [
            "",
            "35020",
            "3502033",
            "35020x",
            "三五〇二",
            "000000",
            "999999",
        ] {
            assert!(!is_known(code), "{code}");
        }
    }

    #[test]
    fn a_province_is_a_city_only_where_it_is_one() {
        assert!(is_city_in_use("110000"));
        assert!(is_city_in_use("810000"));
        assert!(!is_city_in_use("350000"));
        assert!(is_city_in_use("350203"));
    }
}
