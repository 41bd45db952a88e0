/* Writes the values of the calls to descriptor 8 as JSON, each after the token that stdin gave; it holds no expected value. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char* dataflow_line;
static size_t dataflow_size;
static FILE* dataflow_out;
static FILE* dataflow_channel;
static char dataflow_token[33];

void dataflow_begin(int i) {
  dataflow_out = open_memstream(&dataflow_line, &dataflow_size);
  fprintf(dataflow_out, "%s{\"i\":%d,\"value\":", dataflow_token, i);
}

void dataflow_end(void) {
  fputs("}\n", dataflow_out);
  fclose(dataflow_out);
  if (fwrite(dataflow_line, 1, dataflow_size, dataflow_channel) != dataflow_size || fflush(dataflow_channel) != 0) _exit(3);
  free(dataflow_line);
}

void dataflow_signed(long long value) { fprintf(dataflow_out, "%lld", value); }

void dataflow_unsigned(unsigned long long value) { fprintf(dataflow_out, "%llu", value); }

void dataflow_unsigned_wide(unsigned __int128 value) {
  char digits[40];
  int at = sizeof digits;
  digits[--at] = 0;
  do { digits[--at] = (char)('0' + (int)(value % 10)); value /= 10; } while (value);
  fputs(digits + at, dataflow_out);
}

void dataflow_wide(__int128 value) {
  if (value < 0) fputc('-', dataflow_out);
  dataflow_unsigned_wide(value < 0 ? -(unsigned __int128)value : (unsigned __int128)value);
}

void dataflow_double(double value) {
  char text[64];
  if (isnan(value)) { fputs("{\"float\":\"nan\"}", dataflow_out); return; }
  if (isinf(value)) { fputs(value > 0 ? "{\"float\":\"inf\"}" : "{\"float\":\"-inf\"}", dataflow_out); return; }
  for (int digits = 1; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value) break;
  }
  fputs(text, dataflow_out);
}

void dataflow_float(float value) {
  char text[64];
  if (isnan(value) || isinf(value)) { dataflow_double(value); return; }
  for (int digits = 1; digits <= 9; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, (double)value);
    if (strtof(text, NULL) == value) break;
  }
  fputs(text, dataflow_out);
}

void dataflow_text(const char* value) {
  if (value == NULL) { fputs("null", dataflow_out); return; }
  fputc('"', dataflow_out);
  for (const unsigned char* c = (const unsigned char*)value; *c; c++) {
    if (*c == '"' || *c == '\\') fprintf(dataflow_out, "\\%c", *c);
    else if (*c < 32) fprintf(dataflow_out, "\\u%04x", *c);
    else fputc(*c, dataflow_out);
  }
  fputc('"', dataflow_out);
}

void dataflow_pointer(const void* value) { fputs(value == NULL ? "null" : "{\"?\":\"pointer\"}", dataflow_out); }

/* Declared without parameters it takes a value of any type. */
void dataflow_other() { fputs("{\"?\":\"object\"}", dataflow_out); }

void dataflow_calls(void);

int main(void) {
  /* Not by read and write, which a candidate may well define: then they would be its own here too. */
  setvbuf(stdin, NULL, _IONBF, 0);
  if (fread(dataflow_token, 1, sizeof dataflow_token, stdin) != sizeof dataflow_token) _exit(3);
  dataflow_channel = fdopen(8, "w");
  dataflow_token[32] = 0;
  dataflow_calls();
  fflush(NULL);
  _exit(0);
}
