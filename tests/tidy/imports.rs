//! What each file of a crate imports from other files of it.
//!
//! A name is followed through `pub use` to the file that defines it. The declaration of a module and its re-export are
//! no imports; whoever uses the name is what imports. What only tests see is left out.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// The imports between files: from, to, and by which names.
pub(crate) type Imports = BTreeMap<(String, String), BTreeSet<String>>;

/// The names of a path, in their order.
type Names = Vec<String>;

/// How many re-exports a name may pass.
const DEEPEST: usize = 12;

/// The modules of one crate.
#[derive(Default)]
pub(crate) struct Modules {
    /// By their path from the root of the crate.
    by_path: HashMap<Names, Module>,
}

/// One module: a file, or a part of one.
#[derive(Default)]
struct Module {
    /// Its file, from the folder of the crate's sources.
    file: String,
    items: Vec<syn::Item>,
    /// The names of what it defines, without modules.
    defined: HashSet<String>,
    /// Names that it takes from elsewhere for itself.
    imported: HashMap<String, Names>,
    /// Names that it passes on.
    passed_on: HashMap<String, Names>,
    /// Modules all of whose names it takes.
    all_of: Vec<Names>,
}

/// What a path leads to.
enum Place {
    Module(Names),
    Item { file: String, name: String },
}

impl Modules {
    /// Reads the crate whose root is the file `root`.
    pub(crate) fn read(root: &Path) -> Self {
        let folder = root.parent().expect("a file is in a folder");
        let mut modules = Self::default();
        modules.read_file(folder, root, folder, Vec::new());
        modules
    }

    /// `children` is where the files of its modules are.
    fn read_file(&mut self, sources: &Path, file: &Path, children: &Path, path: Names) {
        let text = fs::read_to_string(file);
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let syntax = syn::parse_file(&text).expect("source compiles");
        let name = file.strip_prefix(sources).expect("sources are in one folder");
        let name = name.to_string_lossy().into_owned();
        self.read_module(sources, &name, children, path, syntax.items);
    }

    fn read_module(
        &mut self,
        sources: &Path,
        file: &str,
        children: &Path,
        path: Names,
        items: Vec<syn::Item>,
    ) {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        for item in items {
            if is_for_tests(attributes(&item)) {
                continue;
            }
            if let syn::Item::Mod(inner) = item {
                let name = inner.ident.to_string();
                let below = children.join(&name);
                let inside = path.iter().cloned().chain([name]).collect();
                match inner.content {
                    Some((_, items)) => self.read_module(sources, file, &below, inside, items),
                    None => {
                        let named = named_file(&inner.attrs).map(|name| children.join(name));
                        let file = named.unwrap_or_else(|| file_of(&below));
                        self.read_file(sources, &file, &below, inside);
                    }
                }
                continue;
            }
            module.defined.extend(name_of(&item));
            module.items.push(item);
        }
        let mut uses = Uses { module: &mut module };
        let items = std::mem::take(&mut uses.module.items);
        items.iter().for_each(|item| uses.visit_item(item));
        module.items = items;
        self.by_path.insert(path, module);
    }

    /// Every import of every file.
    pub(crate) fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (path, module) in &self.by_path {
            let mut mentions = Mentions { found: BTreeSet::new() };
            module.items.iter().for_each(|item| mentions.visit_item(item));
            let whole = module.imported.values().cloned();
            for names in mentions.found.into_iter().chain(whole) {
                if let Some(Place::Item { file, name }) = self.mentioned(path, module, &names)
                    && file != module.file
                {
                    imports.entry((module.file.clone(), file)).or_default().insert(name);
                }
            }
        }
        imports
    }

    /// Where a path leads that code in a module mentions.
    fn mentioned(&self, path: &[String], module: &Module, names: &[String]) -> Option<Place> {
        let [name] = names else { return self.find(path, names, 0) };
        match module.passed_on.get(name) {
            Some(target) => self.find(path, target, 0),
            None if module.defined.contains(name) || module.imported.contains_key(name) => None,
            None => self.find_in_all_of(path, module, names, 0),
        }
    }

    /// Follows a path from the module at `from`. `None`: it leads out of the crate.
    fn find(&self, from: &[String], names: &[String], depth: usize) -> Option<Place> {
        let (first, rest) = names.split_first()?;
        if depth > DEEPEST {
            return None;
        }
        let module = &self.by_path[from];
        match first.as_str() {
            "crate" => self.descend(Vec::new(), rest, depth),
            "self" => self.descend(from.to_vec(), rest, depth),
            "super" => {
                let above = rest.iter().take_while(|name| *name == "super").count();
                let base = from[..from.len().checked_sub(above + 1)?].to_vec();
                self.descend(base, &rest[above..], depth)
            }
            _ if self.has_module(from, first) => self.descend(from.to_vec(), names, depth),
            _ => {
                let target = module.imported.get(first).or_else(|| module.passed_on.get(first))?;
                if target.first() == Some(first) {
                    return None;
                }
                let names: Names = target.iter().chain(rest).cloned().collect();
                self.find(from, &names, depth + 1)
            }
        }
    }

    fn has_module(&self, path: &[String], name: &str) -> bool {
        self.by_path.contains_key(&[path, &[name.to_owned()]].concat())
    }

    /// Follows a path down from the module at `at`.
    fn descend(&self, mut at: Names, names: &[String], depth: usize) -> Option<Place> {
        let Some((first, rest)) = names.split_first() else { return Some(Place::Module(at)) };
        let module = &self.by_path[&at];
        let here = || Some(Place::Item { file: module.file.clone(), name: first.clone() });
        let is_module = self.has_module(&at, first);
        if is_module && !(rest.is_empty() && module.passed_on.contains_key(first)) {
            at.push(first.clone());
            return self.descend(at, rest, depth);
        }
        if module.defined.contains(first) {
            return here();
        }
        if let Some(target) = module.passed_on.get(first) {
            let names: Names = target.iter().chain(rest).cloned().collect();
            return self.find(&at, &names, depth + 1);
        }
        self.find_in_all_of(&at, module, names, depth).or_else(here)
    }

    /// Follows a path through the modules all of whose names a module takes.
    fn find_in_all_of(
        &self,
        at: &[String],
        module: &Module,
        names: &[String],
        depth: usize,
    ) -> Option<Place> {
        module.all_of.iter().find_map(|target| {
            let Place::Module(path) = self.find(at, target, depth + 1)? else { return None };
            let other = &self.by_path[&path];
            let first = names.first()?;
            let has = other.defined.contains(first) || other.passed_on.contains_key(first);
            has.then(|| self.descend(path, names, depth + 1))?
        })
    }
}

/// The file of a module whose own modules would be in the folder `below`.
fn file_of(below: &Path) -> PathBuf {
    let beside = below.with_extension("rs");
    if beside.exists() { beside } else { below.join("mod.rs") }
}

/// The file that `#[cfg_attr(…, path = "…")]` gives a module; the first one, where there are several.
fn named_file(attributes: &[syn::Attribute]) -> Option<String> {
    let lists = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg_attr"));
    let mut tokens =
        lists.filter_map(|attribute| attribute.meta.require_list().ok()).flat_map(|list| {
            list.tokens
                .clone()
                .into_iter()
                .skip_while(|token| !matches!(token, TokenTree::Ident(name) if name == "path"))
        });
    let literal = tokens.find_map(|token| match token {
        TokenTree::Literal(literal) => Some(literal.to_string()),
        _ => None,
    })?;
    Some(syn::parse_str::<syn::LitStr>(&literal).ok()?.value())
}

/// Reads the `use` declarations of a module, also those inside functions.
struct Uses<'a> {
    module: &'a mut Module,
}

impl Uses<'_> {
    fn read(&mut self, before: &[String], tree: &syn::UseTree, passes_on: bool) {
        let with = |name: &syn::Ident| -> Names {
            let name = (name != "self").then(|| name.to_string());
            before.iter().cloned().chain(name).collect()
        };
        let (name, target) = match tree {
            syn::UseTree::Path(path) => {
                let inside: Names =
                    before.iter().cloned().chain([path.ident.to_string()]).collect();
                return self.read(&inside, &path.tree, passes_on);
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.read(before, tree, passes_on));
                return;
            }
            syn::UseTree::Glob(_) => return self.module.all_of.push(before.to_vec()),
            syn::UseTree::Name(name) => (None, with(&name.ident)),
            syn::UseTree::Rename(rename) => (Some(rename.rename.to_string()), with(&rename.ident)),
        };
        let Some(name) = name.or_else(|| target.last().cloned()) else { return };
        let names = if passes_on { &mut self.module.passed_on } else { &mut self.module.imported };
        names.insert(name, target);
    }
}

impl<'ast> Visit<'ast> for Uses<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_for_tests(&item.attrs) {
            let passes_on = !matches!(item.vis, syn::Visibility::Inherited);
            self.read(&[], &item.tree, passes_on);
        }
    }
}

/// Collects the paths that code mentions. A single name counts if it may be one of an item.
struct Mentions {
    found: BTreeSet<Names>,
}

impl Mentions {
    fn add(&mut self, names: Names, is_called: bool) {
        let is_type = |name: &String| name.starts_with(char::is_uppercase);
        if names.len() > 1 || is_called || names.first().is_some_and(is_type) {
            self.found.insert(names);
        }
    }

    /// Paths in what a macro is given.
    fn scan(&mut self, tokens: TokenStream) {
        let mut names = Names::new();
        let mut colons = 0;
        for token in tokens {
            match &token {
                TokenTree::Punct(punct) if punct.as_char() == ':' && !names.is_empty() => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(ident) if colons == 2 => {
                    names.push(ident.to_string());
                    colons = 0;
                    continue;
                }
                _ => {}
            }
            let is_called = matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis);
            self.add(std::mem::take(&mut names), is_called && colons == 0);
            colons = 0;
            match token {
                TokenTree::Ident(ident) => names.push(ident.to_string()),
                TokenTree::Group(group) => self.scan(group.stream()),
                _ => {}
            }
        }
        self.add(names, false);
    }
}

fn names_of(path: &syn::Path) -> Names {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

impl<'ast> Visit<'ast> for Mentions {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_for_tests(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_use(&mut self, _: &'ast syn::ItemUse) {}

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(function) = &*call.func {
            self.add(names_of(&function.path), true);
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.add(names_of(path), false);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.scan(call.tokens.clone());
        visit::visit_macro(self, call);
    }

    /// Attributes name functions as text: `serialize_with = "super::seconds"`.
    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        let syn::Meta::List(list) = &attribute.meta else { return };
        for token in list.tokens.clone() {
            if let TokenTree::Literal(literal) = token
                && let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string())
                && let Ok(path) = text.parse::<syn::Path>()
            {
                self.add(names_of(&path), true);
            }
        }
    }
}

/// `#[cfg(test)]`, also as one of several conditions.
fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        attribute.path().is_ident("cfg")
            && list
                .tokens
                .clone()
                .into_iter()
                .any(|token| matches!(&token, TokenTree::Ident(condition) if condition == "test"))
    })
}

/// The attributes of the kinds of items that this repository has.
fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn name_of(item: &syn::Item) -> Option<String> {
    let name = match item {
        syn::Item::Const(item) => &item.ident,
        syn::Item::Enum(item) => &item.ident,
        syn::Item::Fn(item) => &item.sig.ident,
        syn::Item::Macro(item) => item.ident.as_ref()?,
        syn::Item::Static(item) => &item.ident,
        syn::Item::Struct(item) => &item.ident,
        syn::Item::Trait(item) => &item.ident,
        syn::Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}
