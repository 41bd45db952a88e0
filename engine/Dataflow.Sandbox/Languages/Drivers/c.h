/* Comes before the candidate, and includes nothing: what the standard library declares the candidate may define itself. */
void dataflow_begin(int i);
void dataflow_end(void);
void dataflow_signed(long long value);
void dataflow_unsigned(unsigned long long value);
void dataflow_unsigned_wide(unsigned __int128 value);
void dataflow_wide(__int128 value);
void dataflow_double(double value);
void dataflow_float(float value);
void dataflow_text(const char* value);
void dataflow_pointer(const void* value);
void dataflow_other();
void dataflow_calls(void);

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
