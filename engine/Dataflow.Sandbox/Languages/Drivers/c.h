/* Comes before the candidate. Writes the values of the calls to descriptor 8 as JSON, each after the token that stdin gave; it holds no expected value. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char* dataflow_line;
static size_t dataflow_size;
static FILE* dataflow_out;
static char dataflow_token[33];

static void dataflow_begin(int i) {
  dataflow_out = open_memstream(&dataflow_line, &dataflow_size);
  fprintf(dataflow_out, "%s{\"i\":%d,\"value\":", dataflow_token, i);
}

static void dataflow_end(void) {
  fputs("}\n", dataflow_out);
  fclose(dataflow_out);
  for (size_t sent = 0; sent < dataflow_size;) {
    ssize_t n = write(8, dataflow_line + sent, dataflow_size - sent);
    if (n <= 0) _exit(3);
    sent += (size_t)n;
  }
  free(dataflow_line);
}

__attribute__((unused)) static void dataflow_signed(long long value) { fprintf(dataflow_out, "%lld", value); }

__attribute__((unused)) static void dataflow_unsigned(unsigned long long value) { fprintf(dataflow_out, "%llu", value); }

__attribute__((unused)) static void dataflow_unsigned_wide(unsigned __int128 value) {
  char digits[40];
  int at = sizeof digits;
  digits[--at] = 0;
  do { digits[--at] = (char)('0' + (int)(value % 10)); value /= 10; } while (value);
  fputs(digits + at, dataflow_out);
}

__attribute__((unused)) static void dataflow_wide(__int128 value) {
  if (value < 0) fputc('-', dataflow_out);
  dataflow_unsigned_wide(value < 0 ? -(unsigned __int128)value : (unsigned __int128)value);
}

__attribute__((unused)) static void dataflow_double(double value) {
  char text[64];
  if (isnan(value)) { fputs("{\"float\":\"nan\"}", dataflow_out); return; }
  if (isinf(value)) { fputs(value > 0 ? "{\"float\":\"inf\"}" : "{\"float\":\"-inf\"}", dataflow_out); return; }
  for (int digits = 1; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value) break;
  }
  fputs(text, dataflow_out);
}

__attribute__((unused)) static void dataflow_float(float value) {
  char text[64];
  if (isnan(value) || isinf(value)) { dataflow_double(value); return; }
  for (int digits = 1; digits <= 9; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, (double)value);
    if (strtof(text, NULL) == value) break;
  }
  fputs(text, dataflow_out);
}

__attribute__((unused)) static void dataflow_text(const char* value) {
  if (value == NULL) { fputs("null", dataflow_out); return; }
  fputc('"', dataflow_out);
  for (const unsigned char* c = (const unsigned char*)value; *c; c++) {
    if (*c == '"' || *c == '\\') fprintf(dataflow_out, "\\%c", *c);
    else if (*c < 32) fprintf(dataflow_out, "\\u%04x", *c);
    else fputc(*c, dataflow_out);
  }
  fputc('"', dataflow_out);
}

__attribute__((unused)) static void dataflow_pointer(const void* value) { fputs(value == NULL ? "null" : "{\"?\":\"pointer\"}", dataflow_out); }

/* Declared without parameters it takes a value of any type. */
__attribute__((unused)) static void dataflow_other() { fputs("{\"?\":\"object\"}", dataflow_out); }

/* By names of their own: the candidate may define int as something else, which reaches macros. */
typedef _Bool dataflow_t_bool;
typedef char dataflow_t_char;
typedef signed char dataflow_t_signed_char;
typedef unsigned char dataflow_t_unsigned_char;
typedef short dataflow_t_short;
typedef unsigned short dataflow_t_unsigned_short;
typedef int dataflow_t_int;
typedef unsigned dataflow_t_unsigned;
typedef long dataflow_t_long;
typedef unsigned long dataflow_t_unsigned_long;
typedef long long dataflow_t_long_long;
typedef unsigned long long dataflow_t_unsigned_long_long;
typedef __int128 dataflow_t_wide;
typedef unsigned __int128 dataflow_t_unsigned_wide;
typedef float dataflow_t_float;
typedef double dataflow_t_double;
typedef long double dataflow_t_long_double;
typedef char* dataflow_t_text;
typedef const char* dataflow_t_constant_text;
typedef void* dataflow_t_pointer;
typedef const void* dataflow_t_constant_pointer;

/* Booleans and characters are numbers, as everywhere in C. */
#define DATAFLOW_CALL(i, ...) \
  (dataflow_begin(i), _Generic((__VA_ARGS__), \
    dataflow_t_bool: dataflow_signed, \
    dataflow_t_char: dataflow_signed, \
    dataflow_t_signed_char: dataflow_signed, \
    dataflow_t_unsigned_char: dataflow_signed, \
    dataflow_t_short: dataflow_signed, \
    dataflow_t_unsigned_short: dataflow_signed, \
    dataflow_t_int: dataflow_signed, \
    dataflow_t_unsigned: dataflow_unsigned, \
    dataflow_t_long: dataflow_signed, \
    dataflow_t_unsigned_long: dataflow_unsigned, \
    dataflow_t_long_long: dataflow_signed, \
    dataflow_t_unsigned_long_long: dataflow_unsigned, \
    dataflow_t_wide: dataflow_wide, \
    dataflow_t_unsigned_wide: dataflow_unsigned_wide, \
    dataflow_t_float: dataflow_float, \
    dataflow_t_double: dataflow_double, \
    dataflow_t_long_double: dataflow_double, \
    dataflow_t_text: dataflow_text, dataflow_t_constant_text: dataflow_text, \
    dataflow_t_pointer: dataflow_pointer, dataflow_t_constant_pointer: dataflow_pointer, \
    default: dataflow_other)(__VA_ARGS__), dataflow_end())

static void dataflow_calls(void);

int main(void) {
  if (read(0, dataflow_token, sizeof dataflow_token) != sizeof dataflow_token) _exit(3);
  dataflow_token[32] = 0;
  dataflow_calls();
  fflush(NULL);
  _exit(0);
}
