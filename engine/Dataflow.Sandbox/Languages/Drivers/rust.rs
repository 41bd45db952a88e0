//! Writes the values of the calls to descriptor 8; it holds no expected value.
use std::borrow::Cow;
use std::collections::*;
use std::io::Write;
use std::os::unix::io::FromRawFd;
use std::rc::Rc;
use std::sync::Arc;

pub trait Render {
    fn render(&self, out: &mut String);
}

/// Picks, by the receiver's type, a value's own form or none.
pub struct Wrap<'a, T: ?Sized>(pub &'a T);

pub trait ViaRender {
    fn dataflow_render(&self, out: &mut String);
}

impl<T: Render + ?Sized> ViaRender for Wrap<'_, T> {
    fn dataflow_render(&self, out: &mut String) {
        self.0.render(out)
    }
}

pub trait ViaNothing {
    fn dataflow_render(&self, out: &mut String);
}

impl<T: ?Sized> ViaNothing for &Wrap<'_, T> {
    fn dataflow_render(&self, out: &mut String) {
        out.push_str("{\"?\":");
        text(std::any::type_name::<T>(), out);
        out.push('}');
    }
}

fn text(value: &str, out: &mut String) {
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if (c as u32) < 32 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn list<'a, T: Render + 'a>(items: impl Iterator<Item = &'a T>, out: &mut String) {
    out.push('[');
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.push(',');
        }
        item.render(out);
    }
    out.push(']');
}

fn pairs<'a, K: Render + 'a, V: Render + 'a>(items: impl Iterator<Item = (&'a K, &'a V)>, out: &mut String) {
    out.push_str("{\"dict\":[");
    for (i, (key, value)) in items.enumerate() {
        out.push_str(if i > 0 { ",[" } else { "[" });
        key.render(out);
        out.push(',');
        value.render(out);
        out.push(']');
    }
    out.push_str("]}");
}

macro_rules! shown { ($($t:ty)*) => { $(impl Render for $t { fn render(&self, out: &mut String) { out.push_str(&self.to_string()) } })* } }
shown!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize bool);

macro_rules! float { ($($t:ty)*) => { $(impl Render for $t { fn render(&self, out: &mut String) {
    if self.is_nan() { out.push_str("{\"float\":\"nan\"}") }
    else if self.is_infinite() { out.push_str(if *self > 0.0 { "{\"float\":\"inf\"}" } else { "{\"float\":\"-inf\"}" }) }
    else { out.push_str(&format!("{:e}", self)) }
} })* } }
float!(f32 f64);

impl Render for str { fn render(&self, out: &mut String) { text(self, out) } }
impl Render for String { fn render(&self, out: &mut String) { text(self, out) } }
impl Render for char { fn render(&self, out: &mut String) { text(&self.to_string(), out) } }
impl Render for () { fn render(&self, out: &mut String) { out.push_str("null") } }
impl<T: Render> Render for Option<T> { fn render(&self, out: &mut String) { match self { Some(value) => value.render(out), None => out.push_str("null") } } }
impl<T: Render, E: Render> Render for Result<T, E> {
    fn render(&self, out: &mut String) {
        match self {
            Ok(value) => { out.push_str("{\"dict\":[[\"Ok\","); value.render(out) }
            Err(error) => { out.push_str("{\"dict\":[[\"Err\","); error.render(out) }
        }
        out.push_str("]]}");
    }
}
impl<T: Render + ?Sized> Render for &T { fn render(&self, out: &mut String) { (**self).render(out) } }
impl<T: Render + ?Sized> Render for &mut T { fn render(&self, out: &mut String) { (**self).render(out) } }
impl<T: Render + ?Sized> Render for Box<T> { fn render(&self, out: &mut String) { (**self).render(out) } }
impl<T: Render + ?Sized> Render for Rc<T> { fn render(&self, out: &mut String) { (**self).render(out) } }
impl<T: Render + ?Sized> Render for Arc<T> { fn render(&self, out: &mut String) { (**self).render(out) } }
impl<T: Render + ToOwned + ?Sized> Render for Cow<'_, T> { fn render(&self, out: &mut String) { (**self).render(out) } }
impl<T: Render> Render for [T] { fn render(&self, out: &mut String) { list(self.iter(), out) } }
impl<T: Render, const N: usize> Render for [T; N] { fn render(&self, out: &mut String) { list(self.iter(), out) } }
impl<T: Render> Render for Vec<T> { fn render(&self, out: &mut String) { list(self.iter(), out) } }
impl<T: Render> Render for VecDeque<T> { fn render(&self, out: &mut String) { list(self.iter(), out) } }
impl<T: Render> Render for LinkedList<T> { fn render(&self, out: &mut String) { list(self.iter(), out) } }
impl<T: Render> Render for BTreeSet<T> { fn render(&self, out: &mut String) { out.push_str("{\"set\":"); list(self.iter(), out); out.push('}') } }
impl<T: Render, S> Render for HashSet<T, S> { fn render(&self, out: &mut String) { out.push_str("{\"set\":"); list(self.iter(), out); out.push('}') } }
impl<K: Render, V: Render> Render for BTreeMap<K, V> { fn render(&self, out: &mut String) { pairs(self.iter(), out) } }
impl<K: Render, V: Render, S> Render for HashMap<K, V, S> { fn render(&self, out: &mut String) { pairs(self.iter(), out) } }

macro_rules! tuple { ($($name:ident $index:tt),+) => { impl<$($name: Render),+> Render for ($($name,)+) { fn render(&self, out: &mut String) {
    let mut open = '[';
    $(out.push(open); open = ','; self.$index.render(out);)+
    let _ = open;
    out.push(']');
} } } }
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);

thread_local! {
    /// From stdin, at the first call.
    static TOKEN: String = {
        let mut line = String::new();
        let _ = std::io::stdin().read_line(&mut line);
        line.trim_end().to_string()
    };
}

fn token() -> String {
    TOKEN.with(|token| token.clone())
}

fn send(answer: String) {
    let line = format!("{}{}", token(), answer);
    let mut channel = std::mem::ManuallyDrop::new(unsafe { std::fs::File::from_raw_fd(8) });
    if channel.write_all(line.as_bytes()).is_err() {
        std::process::exit(3);
    }
}

pub fn call(i: usize, f: impl FnOnce(&mut String)) {
    token();
    let mut value = String::new();
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| f(&mut value)));
    match ended {
        Ok(()) => send(format!("{{\"i\":{},\"value\":{}}}\n", i, value)),
        Err(payload) => {
            let said = payload.downcast_ref::<&str>().map(|s| s.to_string()).or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
            let mut line = format!("{{\"i\":{},\"error\":", i);
            text(&format!("panic: {}", said), &mut line);
            line.push_str("}\n");
            send(line)
        }
    }
}
