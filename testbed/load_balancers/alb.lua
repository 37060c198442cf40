-- Changes requests, and the balancer's own answers, as an ALB does where Envoy does something else.
--
-- The testbed puts the values of the listener in front:
--   PROTOCOL "http" or "https", PORT the listener's port in AWS, BOUND the port bound on this machine,
--   XFF_MODE "append", "preserve" or "remove", XFF_PORT true if routing.http.xff_client_port.enabled,
--   KEEP_HOST true if routing.http.preserve_host_header.enabled
--   PORTS production port -> bound port, for redirects that this machine's clients can follow

local PORT_TEXT = tostring(PORT)

-- Each listener has its own Lua state and would draw the same numbers: the address of a table makes a difference.
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

-- In lower case, as an ALB forwards it.
local function without_port(authority)
  return (string.gsub(string.lower(authority), ":%d*$", ""))
end

local function host(headers)
  local given = headers:get(":authority")
  if given == nil or KEEP_HOST then return end
  local name = without_port(given)
  local wanted = name
  if PORT ~= 80 and PORT ~= 443 then wanted = name .. ":" .. BOUND end
  if wanted ~= given then headers:replace(":authority", wanted) end
end

local function location(template, headers)
  local authority = without_port(headers:get(":authority") or "")
  local path, query = string.match(headers:get(":path"), "^/?([^?]*)%??(.*)$")
  local values = { protocol = PROTOCOL, host = authority, port = tostring(PORT), path = path, query = query }
  local filled = string.gsub(template, "#{(%l+)}", values)
  filled = string.gsub(filled, "^(%l+://[^/]-):(%d+)/", function(front, port)
    return front .. ":" .. (PORTS[port] or port) .. "/"
  end)
  return (string.gsub(filled, "%?$", ""))
end

-- Sticky sessions; the headers are those of stickiness.py.
local SESSIONS = { ["x-alb-session"] = { "AWSALB", "AWSALBCORS" }, ["x-alb-app-session"] = { "AWSALBAPP-0" } }

local function cookie(given, name)
  return string.match("; " .. given, ";%s*" .. string.gsub(name, "%-", "%%-") .. "=([%w+/=_-]+)")
end

local function session(handle, headers)
  headers:remove("x-alb-session")
  headers:remove("x-alb-app-session")
  local given = headers:get("cookie")
  if given == nil then return end                     -- as nearly all requests are
  for header, names in pairs(SESSIONS) do
    for _, name in ipairs(names) do
      local value = cookie(given, name)
      if value ~= nil then
        headers:replace(header, value)
        handle:streamInfo():dynamicMetadata():set("alb", header, value)
        break
      end
    end
  end
end

local function set_cookies(headers, name, value, seconds)
  local expires = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + seconds)
  local plain = "=" .. value .. "; Expires=" .. expires .. "; Path=/"
  headers:add("set-cookie", name .. plain)
  local cross = "; SameSite=None"
  if PROTOCOL == "https" then cross = cross .. "; Secure" end
  if name ~= "AWSALBAPP-0" then headers:add("set-cookie", name .. "CORS" .. plain .. cross) end
end

local function sets_cookie(headers, name)
  for index = 0, headers:getNumValues("set-cookie") - 1 do
    local given = headers:getAtIndex("set-cookie", index)
    if string.sub(given, 1, #name + 1) == name .. "=" then return true end
  end
  return false
end

local function keep_session(handle, headers)
  local group = headers:get("x-alb-group")
  if group ~= nil then
    headers:remove("x-alb-group")
    local seconds, value = string.match(group, "^(%d+) (%x+)$")
    set_cookies(headers, "AWSALBTG", value, tonumber(seconds))
  end
  local sticky = headers:get("x-alb-sticky")
  if sticky == nil then return end
  headers:remove("x-alb-sticky")
  local kind, seconds, name = string.match(sticky, "^(%l+) (%d+) ?(.*)$")
  local header = kind == "app" and "x-alb-app-session" or "x-alb-session"
  local known = handle:streamInfo():dynamicMetadata():get("alb") or {}
  local target = headers:get(header) or known[header]     -- Envoy sends the header only if the target changed
  headers:remove(header)
  if target == nil then return end
  if kind == "lb" then
    set_cookies(headers, "AWSALB", target, tonumber(seconds))
  elseif sets_cookie(headers, name) then
    set_cookies(headers, "AWSALBAPP-0", target, tonumber(seconds))
  end
end

function envoy_on_request(handle)
  local headers = handle:headers()
  if headers:get(":method") == "TRACE" then
    handle:respond({ [":status"] = "405" }, "")
    return
  end
  local route = handle:metadata()
  local template = route:get("location")
  if template ~= nil then
    handle:respond({ [":status"] = route:get("status"), location = location(template, headers) }, "")
    return
  end
  session(handle, headers)
  local peer = handle:streamInfo():downstreamDirectRemoteAddress()
  if not XFF_PORT then peer = string.match(peer, "^(.*):%d+$") end
  if not forwarded_for(headers, peer) then
    handle:respond({ [":status"] = "463" }, "")
    return
  end
  headers:replace("x-forwarded-proto", PROTOCOL)
  headers:replace("x-forwarded-port", PORT_TEXT)
  trace(headers)
  host(headers)
end

-- Envoy turns its own answers to gRPC requests into grpc-status; an ALB sends the plain HTTP status.
-- x-alb-status marks the balancer's own answers (see local_reply_config).
function envoy_on_response(handle)
  local headers = handle:headers()
  keep_session(handle, headers)
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
