// Fixed-arity shims over libcurl's variadic functions, which Swift cannot call.
//
// Everything else of libcurl is used as it is. Each shim returns libcurl's own code and checks
// nothing: that the option takes a value of the shim's type is the caller's duty.

#ifndef PAL_CCURL_H
#define PAL_CCURL_H

#include <curl/curl.h>

/// An option whose value is a `long`: numbers, flags, durations in milliseconds.
CURLcode pal_easy_set_long(CURL *easy, CURLoption option, long value);

/// An option whose value is a `curl_off_t`: the options that end in `_LARGE`.
CURLcode pal_easy_set_size(CURL *easy, CURLoption option, curl_off_t value);

/// An option whose value is a C string. libcurl copies it.
CURLcode pal_easy_set_string(CURL *easy, CURLoption option, const char *value);

/// An option whose value is a pointer. libcurl keeps the pointer: what it points to must outlive
/// the transfer, except for CURLOPT_COPYPOSTFIELDS, which copies.
CURLcode pal_easy_set_pointer(CURL *easy, CURLoption option, const void *value);

/// An option whose value is a list. libcurl does not copy it: free it after the transfer.
CURLcode pal_easy_set_list(CURL *easy, CURLoption option, struct curl_slist *value);

/// CURLOPT_WRITEFUNCTION, CURLOPT_HEADERFUNCTION or CURLOPT_READFUNCTION, which are of one type.
CURLcode pal_easy_set_callback(CURL *easy, CURLoption option, curl_write_callback value);

/// Allows http and https only, under whichever option this libcurl has for it.
CURLcode pal_easy_allow_only_http(CURL *easy);

/// Lets a transfer be removed while a name is looked up without waiting for the resolver.
/// Does nothing where libcurl is older than 7.87.
CURLcode pal_easy_set_quick_exit(CURL *easy);

/// A piece of information that is a `long`. `value` is untouched on failure.
CURLcode pal_easy_get_long(CURL *easy, CURLINFO info, long *value);

/// A piece of information that is a pointer, CURLINFO_PRIVATE. `value` is untouched on failure.
CURLcode pal_easy_get_pointer(CURL *easy, CURLINFO info, void **value);

/// The socket of a connection that CURLOPT_CONNECT_ONLY made. `value` is untouched on failure.
CURLcode pal_easy_get_socket(CURL *easy, curl_socket_t *value);

/// Tells the other side of such a connection that nothing more is sent to it; it can still be
/// read from. Over TLS that is a close_notify, for which libcurl has no call: it works where
/// libcurl uses OpenSSL, and only after the first curl_easy_send.
///
/// @return 0, or -1 where it was not told.
int pal_easy_finish_sending(CURL *easy);

/// A multi option whose value is a `long`.
CURLMcode pal_multi_set_long(CURLM *multi, CURLMoption option, long value);

#endif
