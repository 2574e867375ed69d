//! Forwards the methods of a store to one inside.

/// Forwards all methods of a [`Store`](crate::Store) to the one in a field, but for those that are named after `except`,
/// in the order in which the trait has them.
///
/// ```
/// use drag_solver_store::{Fact, SqliteStore, Store, StoreError, forward_store};
/// use futures_util::future::BoxFuture;
///
/// #[derive(Debug)]
/// struct Logged(SqliteStore);
///
/// impl Store for Logged {
///     fn record(&self, fact: Fact) -> BoxFuture<'static, Result<(), StoreError>> {
///         println!("{fact:?}");
///         self.0.record(fact)
///     }
///     forward_store!(0 except record);
/// }
/// ```
#[macro_export]
macro_rules! forward_store {
    ($field:tt $(except $($own:ident),+ $(,)?)?) => {
        $crate::forward_store!(@next $field [
            take_up accept begin_purchase record find find_with_picture report changed list reserve
            charge budget spending calls add_key keys revoke_key prune flush now path
        ] [$($($own)+)?]);
    };
    (@next $field:tt [] []) => {};
    (@next $field:tt [take_up $($all:ident)*] [take_up $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [accept $($all:ident)*] [accept $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [begin_purchase $($all:ident)*] [begin_purchase $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [record $($all:ident)*] [record $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [find $($all:ident)*] [find $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [find_with_picture $($all:ident)*] [find_with_picture $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [report $($all:ident)*] [report $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [changed $($all:ident)*] [changed $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [list $($all:ident)*] [list $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [reserve $($all:ident)*] [reserve $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [charge $($all:ident)*] [charge $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [budget $($all:ident)*] [budget $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [spending $($all:ident)*] [spending $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [calls $($all:ident)*] [calls $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [add_key $($all:ident)*] [add_key $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [keys $($all:ident)*] [keys $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [revoke_key $($all:ident)*] [revoke_key $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [prune $($all:ident)*] [prune $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [flush $($all:ident)*] [flush $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [now $($all:ident)*] [now $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [path $($all:ident)*] [path $($own:ident)*]) => {
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@next $field:tt [$method:ident $($all:ident)*] [$($own:ident)*]) => {
        $crate::forward_store!(@$method $field);
        $crate::forward_store!(@next $field [$($all)*] [$($own)*]);
    };
    (@take_up $field:tt) => {
        $crate::forward_store!(@async $field take_up ['a](opening: &'a $crate::Opening) -> $crate::TakenUp);
    };
    (@accept $field:tt) => {
        $crate::forward_store!(@async $field accept ['a 'b 'c](opening: &'a $crate::Opening, picture: &'b $crate::__private::Bytes, limits: &'c $crate::KeyLimits) -> $crate::Accepted);
    };
    (@begin_purchase $field:tt) => {
        $crate::forward_store!(@async $field begin_purchase [](purchase: $crate::NewPurchase) -> ());
    };
    (@find $field:tt) => {
        $crate::forward_store!(@async $field find ['a](id: &'a str) -> Option<$crate::ChallengeRecord>);
    };
    (@find_with_picture $field:tt) => {
        $crate::forward_store!(@async $field find_with_picture ['a](id: &'a str) -> Option<$crate::ChallengeRecord>);
    };
    (@report $field:tt) => {
        $crate::forward_store!(@async $field report ['a](id: &'a str, verdict: $crate::__private::Verdict) -> $crate::Reported);
    };
    (@list $field:tt) => {
        $crate::forward_store!(@async $field list ['a](query: &'a $crate::Query) -> Vec<$crate::ChallengeRecord>);
    };
    (@reserve $field:tt) => {
        $crate::forward_store!(@async $field reserve ['a 'b](key: i64, budget: &'a str, amount: $crate::__private::Usd, limits: &'b [$crate::Limit]) -> Result<(), $crate::Shortage>);
    };
    (@charge $field:tt) => {
        $crate::forward_store!(@async $field charge ['a 'b](charge: &'a $crate::Charge, limits: &'b [$crate::Limit]) -> Result<(), $crate::Shortage>);
    };
    (@budget $field:tt) => {
        $crate::forward_store!(@async $field budget ['a 'b](budget: &'a str, since: &'b [$crate::jiff::Timestamp]) -> $crate::BudgetState);
    };
    (@spending $field:tt) => {
        $crate::forward_store!(@async $field spending ['a](query: &'a $crate::SpendingQuery) -> Vec<$crate::Spending>);
    };
    (@calls $field:tt) => {
        $crate::forward_store!(@async $field calls ['a](solver: &'a str, since: $crate::jiff::Timestamp, limit: u32) -> Vec<$crate::CallRecord>);
    };
    (@add_key $field:tt) => {
        $crate::forward_store!(@async $field add_key ['a](key: &'a $crate::KeyRecord) -> bool);
    };
    (@keys $field:tt) => {
        $crate::forward_store!(@async $field keys []() -> Vec<$crate::KeyRecord>);
    };
    (@revoke_key $field:tt) => {
        $crate::forward_store!(@async $field revoke_key ['a](name: &'a str) -> bool);
    };
    (@prune $field:tt) => {
        $crate::forward_store!(@async $field prune ['a](retention: &'a $crate::Retention) -> $crate::Pruned);
    };
    (@flush $field:tt) => {
        $crate::forward_store!(@async $field flush []() -> ());
    };
    (@record $field:tt) => {
        fn record(
            &self,
            fact: $crate::Fact,
        ) -> $crate::__private::BoxFuture<'static, Result<(), $crate::StoreError>> {
            $crate::Store::record(&self.$field, fact)
        }
    };
    (@changed $field:tt) => {
        fn changed(&self, id: &str) -> $crate::__private::BoxFuture<'static, ()> {
            $crate::Store::changed(&self.$field, id)
        }
    };
    (@now $field:tt) => {
        fn now(&self) -> $crate::jiff::Timestamp {
            $crate::Store::now(&self.$field)
        }
    };
    (@path $field:tt) => {
        fn path(&self) -> Option<&::std::path::Path> {
            $crate::Store::path(&self.$field)
        }
    };
    // As `async_trait` would have it.
    (@async $field:tt $method:ident [$($life:lifetime)*]($($name:ident: $type:ty),*) -> $out:ty) => {
        fn $method<'life0, $($life,)* 'async_trait>(
            &'life0 self,
            $($name: $type),*
        ) -> $crate::__private::BoxFuture<'async_trait, Result<$out, $crate::StoreError>>
        where
            'life0: 'async_trait,
            $($life: 'async_trait,)*
            Self: 'async_trait,
        {
            $crate::Store::$method(&self.$field, $($name),*)
        }
    };
}
