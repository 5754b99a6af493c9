# Configures project/ with CASE and compares with EXPECTED: a part of the message, or empty where configuring must succeed.
execute_process(
  COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${BINARY} --fresh -G ${GENERATOR}
    -DCASE=${CASE} -DVV_CMAKE=${VV_CMAKE} -DCMAKE_CXX_COMPILER=${COMPILER}
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
string(REGEX REPLACE "[ \n]+" " " output "${output}")

if(EXPECTED STREQUAL "")
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${CASE}: configuring should have succeeded:\n${output}")
  endif()
elseif(result EQUAL 0)
  message(FATAL_ERROR "${CASE}: the layer check let it pass")
else()
  string(FIND "${output}" "Layer check: ${EXPECTED}" position)
  if(position EQUAL -1)
    message(FATAL_ERROR "${CASE}: configuring failed, but not with \"Layer check: ${EXPECTED}\":\n${output}")
  endif()
endif()
