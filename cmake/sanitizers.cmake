# VV_SANITIZE turns on one family for everything that is compiled here.
if(VV_SANITIZE STREQUAL "address-undefined")
  # A null pointer that is read or written through is found by the other sanitizer, and no processor that this is tested on minds where
  # a value lies: two checks take a quarter of the time to compile for what is left, null references that nobody looks at.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=null,alignment -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
  if(NOT APPLE)
    add_library(vv_keep_modules OBJECT "${PROJECT_SOURCE_DIR}/cmake/keep_modules.cpp")
    set(VV_KEEP_MODULES vv_keep_modules)
  endif()
elseif(VV_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(VV_SANITIZE STREQUAL "fuzzer")
  # The main of libFuzzer comes with the fuzzers themselves; everything else is only watched.
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(VV_SANITIZE)
  message(FATAL_ERROR "VV_SANITIZE is '${VV_SANITIZE}'; it can be empty, address-undefined, thread or fuzzer")
endif()
