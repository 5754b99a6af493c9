# flite has neither a CMake package nor a .pc file.
add_library(vv_flite INTERFACE)
target_include_directories(vv_flite SYSTEM INTERFACE "${VV_FLITE_INCLUDE}")
target_link_libraries(vv_flite INTERFACE -lflite_cmu_us_slt -lflite_usenglish -lflite_cmulex -lflite -lm)
