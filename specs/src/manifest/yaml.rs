//! From YAML events to values, remembering where each was written.

use std::collections::{BTreeMap, HashMap};

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};
use serde_json::{Map, Value};

use super::{Document, Position, SyntaxError, scalar};
use crate::path::FieldPath;

/// Where each field is written, by path.
pub(super) type Positions = BTreeMap<String, Position>;

/// More values than any spec has: aliases of aliases multiply, and a small file must not fill the memory.
const VALUE_LIMIT: usize = 100_000;

/// Every document of `text`, or why it is none. After a broken one reading goes on at the next `---`.
pub(super) fn read(text: &str) -> Vec<Result<Document, SyntaxError>> {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        anchors: HashMap::new(),
        positions: Positions::new(),
        values: 0,
    };
    let mut documents = Vec::new();
    loop {
        match reader.document() {
            Ok(Some((Value::Null, _))) => {}
            Ok(Some((value, line))) => {
                let positions = std::mem::take(&mut reader.positions);
                documents.push(Ok(document(value, line, positions)));
            }
            Ok(None) => return documents,
            Err(error) => {
                documents.push(Err(error));
                if !matches!(reader.parser.proceed_next_document(), Ok(true)) {
                    return documents;
                }
            }
        }
    }
}

/// What says which object a document is.
pub(super) struct Head {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
}

impl Head {
    pub(super) fn of(value: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Self {
            api_version: text(&value["apiVersion"]).unwrap_or_default(),
            kind: text(&value["kind"]).unwrap_or_default(),
            namespace: text(&value["metadata"]["namespace"]),
            name: text(&value["metadata"]["name"]),
        }
    }
}

fn document(value: Value, line: usize, positions: Positions) -> Document {
    let head = Head::of(&value);
    Document {
        api_version: head.api_version,
        kind: head.kind,
        namespace: head.namespace,
        name: head.name,
        value,
        line,
        positions,
    }
}

struct Reader<'t> {
    parser: Parser<'t, granit_parser::StrInput<'t>>,
    anchors: HashMap<usize, Value>,
    positions: Positions,
    values: usize,
}

impl<'t> Reader<'t> {
    /// The next document with the line of its first value; `None` at the end of the text.
    fn document(&mut self) -> Result<Option<(Value, usize)>, SyntaxError> {
        self.positions.clear();
        self.anchors.clear();
        self.values = 0;
        loop {
            match self.next()? {
                None | Some((Event::StreamEnd, _)) => return Ok(None),
                Some((Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _)) => {}
                Some((event, span)) => {
                    let line = span.start.line();
                    let root = FieldPath::root();
                    return self
                        .value(event, span, &root)
                        .map(|value| Some((value, line)));
                }
            }
        }
    }

    /// The next event that is not a comment.
    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, SyntaxError> {
        loop {
            match self.parser.next() {
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok(next)) => return Ok(Some(next)),
                Some(Err(error)) => return Err(syntax(&error)),
                None => return Ok(None),
            }
        }
    }

    /// The next event inside a value, where the text cannot end.
    fn inside(&mut self, since: Span) -> Result<(Event<'t>, Span), SyntaxError> {
        self.next()?
            .ok_or_else(|| fault(&since.start, "this is never closed"))
    }

    fn value(
        &mut self,
        event: Event<'t>,
        span: Span,
        path: &FieldPath,
    ) -> Result<Value, SyntaxError> {
        self.values += 1;
        if self.values > VALUE_LIMIT {
            return Err(fault(&span.start, "more values than a manifest can have"));
        }
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let text_by_tag = tag.is_some_and(|tag| tag.core_suffix() == Some("str"));
                let value = match style {
                    ScalarStyle::Plain if !text_by_tag => scalar::plain(&text),
                    _ => Value::String(text.into_owned()),
                };
                (value, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.list(span, path)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map(span, path)?, anchor),
            Event::Alias(id) => {
                let value = self.anchors.get(&id).cloned();
                let value =
                    value.ok_or_else(|| fault(&span.start, "an alias cannot contain itself"))?;
                self.values += size(&value);
                (value, 0)
            }
            _ => return Err(fault(&span.start, "a value is needed here")),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn list(&mut self, since: Span, path: &FieldPath) -> Result<Value, SyntaxError> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.inside(since)?;
            if event == Event::SequenceEnd {
                return Ok(Value::Array(items));
            }
            let at = path.index(items.len());
            self.positions
                .insert(at.as_str().to_owned(), position(&span.start));
            items.push(self.value(event, span, &at)?);
        }
    }

    fn map(&mut self, since: Span, path: &FieldPath) -> Result<Value, SyntaxError> {
        let mut map = Map::new();
        let mut merged = Vec::new();
        loop {
            let (event, span) = self.inside(since)?;
            let (key, plain) = match event {
                Event::MappingEnd => break,
                Event::Scalar(text, style, ..) => (text.into_owned(), style == ScalarStyle::Plain),
                _ => return Err(fault(&span.start, "a key is a single word or text")),
            };
            let at = path.key(&key);
            let (event, value_span) = self.inside(since)?;
            if key == "<<" && plain {
                merged.push(self.value(event, value_span, &at)?);
                continue;
            }
            if map.contains_key(&key) {
                let first = self
                    .positions
                    .get(at.as_str())
                    .map_or(0, |first| first.line);
                let message = format!("the key {key:?} is given twice, first on line {first}");
                return Err(fault(&span.start, message));
            }
            self.positions
                .insert(at.as_str().to_owned(), position(&span.start));
            let value = self.value(event, value_span, &at)?;
            map.insert(key, value);
        }
        // `<<` gives what the map itself does not say.
        for value in merged {
            let lower = match value {
                Value::Object(lower) => vec![Value::Object(lower)],
                Value::Array(items) => items,
                _ => return Err(fault(&since.start, "<< takes a map or a list of maps")),
            };
            for (key, value) in lower.into_iter().filter_map(into_map).flatten() {
                map.entry(key).or_insert(value);
            }
        }
        Ok(Value::Object(map))
    }
}

fn into_map(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(map) => Some(map),
        _ => None,
    }
}

fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(map) => map.values().map(size).sum(),
        _ => 0,
    }
}

fn position(mark: &Marker) -> Position {
    Position {
        line: mark.line(),
        column: mark.col() + 1,
    }
}

fn fault(mark: &Marker, message: impl Into<String>) -> SyntaxError {
    SyntaxError {
        at: position(mark),
        message: message.into(),
    }
}

fn syntax(error: &ScanError) -> SyntaxError {
    fault(error.marker(), error.info())
}
