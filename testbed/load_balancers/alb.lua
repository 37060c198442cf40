-- What an ALB does to requests and to its own answers, where Envoy does something else.
--
-- The testbed puts the values of the listener in front:
--   PROTOCOL "http" or "https", PORT the listener's port as AWS has it, BOUND the port bound on this machine,
--   XFF_MODE "append", "preserve" or "remove", KEEP_HOST whether routing.http.preserve_host_header.enabled
--   PORTS production port -> bound port, for redirects that this machine's clients can follow

-- Each listener has a Lua state of its own; the address of a table tells them apart.
math.randomseed((tonumber(string.match(tostring({}), "0x(%x+)"), 16) + os.time()) % 0x7fffffff)

local function forwarded_for(headers, peer)
  if XFF_MODE == "preserve" then return true end
  if XFF_MODE == "remove" then headers:remove("x-forwarded-for") return true end
  local given = headers:get("x-forwarded-for")
  if given == nil then
    headers:add("x-forwarded-for", peer)
    return true
  end
  local _, commas = string.gsub(given, ",", "")
  if commas + 1 > 30 then return false end            -- ALB guide: code 463
  headers:replace("x-forwarded-for", given .. ", " .. peer)
  return true
end

local function new_trace(field)
  local hex = string.format("%08x%08x%08x", math.random(0, 0xffffffff), math.random(0, 0xffffffff),
    math.random(0, 0xffffffff))
  return string.format("%s=1-%08x-%s", field, os.time(), hex)
end

-- ALB guide, "Request tracing": no header -> Root; Root without Self -> Self in front; Self -> replaced.
local function trace(headers)
  local given = headers:get("x-amzn-trace-id")
  if given == nil then
    headers:add("x-amzn-trace-id", new_trace("Root"))
    return
  end
  local rest = string.gsub(string.gsub(given, "^Self=[^;]*;?", ""), ";Self=[^;]*", "")
  headers:replace("x-amzn-trace-id", new_trace("Self") .. ";" .. rest)
end

local function host(headers)
  local given = headers:get(":authority")
  if given == nil or KEEP_HOST then return end
  local name, port = string.match(string.lower(given), "^(.-):?(%d*)$")
  local wanted = name
  if PORT ~= 80 and PORT ~= 443 then wanted = name .. ":" .. BOUND end
  if wanted ~= given then headers:replace(":authority", wanted) end
end

local function location(template, headers)
  local authority = string.match(string.lower(headers:get(":authority") or ""), "^(.-):?%d*$")
  local path, query = string.match(headers:get(":path"), "^/?([^?]*)%??(.*)$")
  local values = { protocol = PROTOCOL, host = authority, port = tostring(PORT), path = path, query = query }
  local filled = string.gsub(template, "#{(%l+)}", values)
  filled = string.gsub(filled, "^(%l+://[^/]-):(%d+)/", function(front, port)
    return front .. ":" .. (PORTS[port] or port) .. "/"
  end)
  return (string.gsub(filled, "%?$", ""))
end

function envoy_on_request(handle)
  local headers = handle:headers()
  if headers:get(":method") == "TRACE" then
    handle:respond({ [":status"] = "405" }, "")
    return
  end
  local template = handle:metadata():get("location")
  if template ~= nil then
    handle:respond({ [":status"] = handle:metadata():get("status"), location = location(template, headers) }, "")
    return
  end
  local peer = string.match(handle:streamInfo():downstreamDirectRemoteAddress(), "^(.*):%d+$")
  if not forwarded_for(headers, peer) then
    handle:respond({ [":status"] = "463" }, "")
    return
  end
  headers:replace("x-forwarded-proto", PROTOCOL)
  headers:replace("x-forwarded-port", tostring(PORT))
  trace(headers)
  host(headers)
end

-- Envoy turns its own answers to gRPC requests into grpc-status; an ALB sends the plain HTTP status.
-- x-alb-status marks the answers of the balancer's own (see local_reply_config).
function envoy_on_response(handle)
  local headers = handle:headers()
  local status = headers:get("x-alb-status")
  if status == nil then return end
  headers:remove("x-alb-status")
  if headers:get("grpc-status") ~= nil then
    headers:replace(":status", status)
    headers:remove("grpc-status")
    headers:remove("grpc-message")
    headers:remove("content-type")
  end
end
