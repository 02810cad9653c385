//! Lists, to their last page.

use octocrab::Page;
use serde::de::DeserializeOwned;

use super::{Client, call::Call};
use crate::error::Error;

/// As many as GitHub gives in one page.
pub(super) const PER_PAGE: &str = "100";

/// More pages than any list of ours has; a server that always names a next one is not read for ever.
const MOST_PAGES: usize = 300;

/// How often a list is begun anew because it moved while it was read.
const ATTEMPTS: usize = 3;

impl Client {
    /// Every item, in GitHub's order.
    ///
    /// While pages are read one after the other, an item that leaves an earlier one moves all later ones up, and the
    /// first of the next page is never seen. So a list of several pages is believed when those before the last, asked
    /// again after it, are as they were; that costs nothing of the limit, since they are.
    pub(super) async fn list<T>(&self, first: &Call<'_>) -> Result<Vec<T>, Error>
    where
        T: DeserializeOwned + PartialEq + Send,
    {
        for _ in 0..ATTEMPTS {
            let pages = self.pages::<T>(first).await?;
            if self.stands_still(first, &pages).await? {
                return Ok(pages.into_iter().flat_map(|(_, items)| items).collect());
            }
        }
        Err(Error::Transient(
            first
                .asked()
                .failure("the list changed each time while it was read"),
        ))
    }

    /// The pages as they came, each with its address.
    async fn pages<T>(&self, first: &Call<'_>) -> Result<Vec<(String, Vec<T>)>, Error>
    where
        T: DeserializeOwned,
    {
        let mut pages = Vec::new();
        let mut call = first.clone();
        loop {
            let page: Page<T> = self.ask_as(&call).await?;
            pages.push((call.address.clone(), page.items));
            let Some(next) = page.next else {
                return Ok(pages);
            };
            let next = next.to_string();
            if !self.root.is_ours(&next) {
                return Err(first
                    .asked()
                    .unreadable("the next page is said to be on another server; check apiUrl"));
            }
            if pages.len() == MOST_PAGES {
                return Err(first.asked().unreadable("the list does not end"));
            }
            call.address = next;
        }
    }

    async fn stands_still<T>(
        &self,
        first: &Call<'_>,
        pages: &[(String, Vec<T>)],
    ) -> Result<bool, Error>
    where
        T: DeserializeOwned + PartialEq,
    {
        let before_last = pages.len().saturating_sub(1);
        for (address, items) in &pages[..before_last] {
            let mut call = first.clone();
            call.address.clone_from(address);
            let page: Page<T> = self.ask_as(&call).await?;
            if page.items != *items {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
