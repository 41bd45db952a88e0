/* Comes before the candidate. Writes the values of the calls to descriptor 8 as JSON; it holds no expected value. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char* dataflow_line;
static size_t dataflow_size;
static FILE* dataflow_out;

static void dataflow_begin(int i) {
  dataflow_out = open_memstream(&dataflow_line, &dataflow_size);
  fprintf(dataflow_out, "{\"i\":%d,\"value\":", i);
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

/* Booleans and characters are numbers, as everywhere in C. */
#define DATAFLOW_CALL(i, ...) \
  (dataflow_begin(i), _Generic((__VA_ARGS__), \
    _Bool: dataflow_signed, char: dataflow_signed, signed char: dataflow_signed, unsigned char: dataflow_signed, \
    short: dataflow_signed, unsigned short: dataflow_signed, int: dataflow_signed, unsigned: dataflow_unsigned, \
    long: dataflow_signed, unsigned long: dataflow_unsigned, long long: dataflow_signed, unsigned long long: dataflow_unsigned, \
    float: dataflow_float, double: dataflow_double, long double: dataflow_double, \
    char*: dataflow_text, const char*: dataflow_text, void*: dataflow_pointer, const void*: dataflow_pointer, \
    default: dataflow_other)(__VA_ARGS__), dataflow_end())

static void dataflow_calls(void);

int main(void) {
  dataflow_calls();
  fflush(NULL);
  _exit(0);
}
