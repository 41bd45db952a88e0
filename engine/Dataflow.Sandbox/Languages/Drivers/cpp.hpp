// Comes before the candidate. Writes the values of the calls to descriptor 8 as JSON; it holds no expected value.
#pragma once
#include <array>
#include <bitset>
#include <charconv>
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>
#include <unistd.h>

namespace dataflow {

inline void text(std::string& out, std::string_view value) {
  static const char* digits = "0123456789abcdef";
  out += '"';
  for (unsigned char c : value) {
    if (c == '"' || c == '\\') { out += '\\'; out += static_cast<char>(c); }
    else if (c < 32) { out += "\\u00"; out += digits[c >> 4]; out += digits[c & 15]; }
    else out += static_cast<char>(c);
  }
  out += '"';
}

template <class T> struct is_map : std::false_type {};
template <class K, class V, class... R> struct is_map<std::map<K, V, R...>> : std::true_type {};
template <class K, class V, class... R> struct is_map<std::unordered_map<K, V, R...>> : std::true_type {};
template <class T> struct is_set : std::false_type {};
template <class K, class... R> struct is_set<std::set<K, R...>> : std::true_type {};
template <class K, class... R> struct is_set<std::unordered_set<K, R...>> : std::true_type {};
template <class K, class... R> struct is_set<std::multiset<K, R...>> : std::true_type {};
template <class T> struct is_optional : std::false_type {};
template <class T> struct is_optional<std::optional<T>> : std::true_type {};
template <class T, class D> struct is_optional<std::unique_ptr<T, D>> : std::true_type {};
template <class T> struct is_optional<std::shared_ptr<T>> : std::true_type {};
template <class T, class = void> struct is_range : std::false_type {};
template <class T> struct is_range<T, std::void_t<decltype(std::declval<const T&>().begin()), decltype(std::declval<const T&>().end())>> : std::true_type {};
template <class T, class = void> struct is_tuple : std::false_type {};
template <class T> struct is_tuple<T, std::void_t<decltype(std::tuple_size<T>::value)>> : std::true_type {};

template <class T> void render(std::string& out, const T& value);

template <class T> void number(std::string& out, T value) {
  char buffer[64];
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(value)) { out += "{\"float\":\"nan\"}"; return; }
    if (std::isinf(value)) { out += value > 0 ? "{\"float\":\"inf\"}" : "{\"float\":\"-inf\"}"; return; }
  }
  auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}

template <class T> void range(std::string& out, const T& value) {
  bool first = true;
  for (auto&& item : value) {
    if (!first) out += ',';
    first = false;
    if constexpr (is_map<T>::value) { out += '['; render(out, item.first); out += ','; render(out, item.second); out += ']'; }
    else if constexpr (std::is_same_v<std::decay_t<decltype(item)>, std::_Bit_reference>) render(out, static_cast<bool>(item));
    else render(out, item);
  }
}

template <class T, std::size_t... I> void tuple(std::string& out, const T& value, std::index_sequence<I...>) {
  ((out += I ? "," : "", render(out, std::get<I>(value))), ...);
}

template <class T> void render(std::string& out, const T& value) {
  using V = std::remove_cv_t<T>;
  if constexpr (std::is_same_v<V, bool>) out += value ? "true" : "false";
  else if constexpr (std::is_same_v<V, std::nullptr_t> || std::is_same_v<V, std::nullopt_t> || std::is_same_v<V, std::monostate>) out += "null";
  else if constexpr (std::is_same_v<V, char>) text(out, std::string_view(&value, 1));
  else if constexpr (std::is_same_v<V, signed char> || std::is_same_v<V, unsigned char>) number(out, static_cast<int>(value));
  else if constexpr (std::is_same_v<V, wchar_t> || std::is_same_v<V, char16_t> || std::is_same_v<V, char32_t>) number(out, static_cast<long>(value));
  else if constexpr (std::is_same_v<V, __int128> || std::is_same_v<V, unsigned __int128>) {
    std::string digits;
    bool negative = value < 0;
    unsigned __int128 rest = negative ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
    do { digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10))); rest /= 10; } while (rest);
    out += (negative ? "-" : "") + digits;
  }
  else if constexpr (std::is_arithmetic_v<V>) number(out, value);
  else if constexpr (std::is_enum_v<V>) number(out, static_cast<long long>(value));
  else if constexpr (std::is_same_v<V, const char*> || std::is_same_v<V, char*>) { if (value) text(out, value); else out += "null"; }
  else if constexpr (std::is_convertible_v<const V&, std::string_view>) text(out, std::string_view(value));
  else if constexpr (is_optional<V>::value) { if (value) render(out, *value); else out += "null"; }
  else if constexpr (std::is_pointer_v<V>) out += value ? "{\"?\":\"pointer\"}" : "null";
  else if constexpr (is_map<V>::value) { out += "{\"dict\":["; range(out, value); out += "]}"; }
  else if constexpr (is_set<V>::value) { out += "{\"set\":["; range(out, value); out += "]}"; }
  else if constexpr (is_range<V>::value) { out += '['; range(out, value); out += ']'; }
  else if constexpr (is_tuple<V>::value) { out += '['; tuple(out, value, std::make_index_sequence<std::tuple_size<V>::value>()); out += ']'; }
  else out += "{\"?\":\"object\"}";
}

inline char token[33];

inline void send(const std::string& answer) {
  const std::string line = token + answer;
  for (std::size_t sent = 0; sent < line.size();) {
    ssize_t n = ::write(8, line.data() + sent, line.size() - sent);
    if (n <= 0) ::_exit(3);
    sent += static_cast<std::size_t>(n);
  }
}

inline void fail(int i, const std::string& why) {
  std::string line = "{\"i\":" + std::to_string(i) + ",\"error\":";
  text(line, why);
  send(line + "}\n");
}

template <class F> void call(int i, F&& f) {
  std::string line = "{\"i\":" + std::to_string(i) + ",\"value\":";
  try {
    if constexpr (std::is_void_v<decltype(f())>) { f(); line += "null"; }
    else render(line, f());
  } catch (const std::bad_alloc& error) {
    return fail(i, std::string("std::bad_alloc: ") + error.what());
  } catch (const std::exception& error) {
    return fail(i, std::string("exception: ") + error.what());
  } catch (...) {
    return fail(i, "exception of an unknown type");
  }
  send(line + "}\n");
}

}  // namespace dataflow

// Outside of the namespace, whose names would hide the candidate's.
void dataflow_calls();

int main() {
  if (::read(0, dataflow::token, sizeof dataflow::token) != sizeof dataflow::token) ::_exit(3);
  dataflow::token[32] = 0;
  dataflow_calls();
  std::fflush(nullptr);
  ::_exit(0);
}
